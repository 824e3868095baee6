"""callsheet.v1 on the wire: messages, ticks, errors. docs/wire-protocol.md is the definition."""
