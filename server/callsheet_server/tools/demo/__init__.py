"""Games of ours, played through the real WebSocket with the SDK: a town, and recorded sessions."""
