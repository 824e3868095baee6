"""KV caches: who needs which node of the radix tree, what leaves a tier, what is brought back."""
