"""Two real SGLang replicas on the CPU: our cluster against other ways to spread calls."""
