"""LoRA adapters: how they come to their slots and leave them, and new weights under a name."""
