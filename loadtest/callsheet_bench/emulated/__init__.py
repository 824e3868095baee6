"""SGLang with and without the plugin on an emulated GPU, over NPCs, concurrency, replies, links."""
