"""Terminal views of a world: what an observer is told, gathered, summed up and shown."""
