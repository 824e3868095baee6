"""What an observer of a world sees: gathered, summed up, and shown in a terminal."""
