"""Several models at once, by archetype: an engine for each, loaded and unloaded by the planner."""
