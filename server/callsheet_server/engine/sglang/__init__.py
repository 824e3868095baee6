"""SGLang as an engine: launched and watched over, or attached to by URL."""
