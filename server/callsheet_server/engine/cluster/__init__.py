"""Several SGLang replicas as one engine: who is where, and what happens when one dies."""
