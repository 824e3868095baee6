"""Start of an SGLang, as the process that starts it sees it: interpreter, command, environment."""
