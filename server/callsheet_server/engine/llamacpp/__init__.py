"""The engine ``llamacpp``: llama.cpp in a child process, NPCs' prefixes in its slots."""
