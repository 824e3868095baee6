"""The Callsheet server: ticks in, invocation distances out, NPC state where it is needed next."""
