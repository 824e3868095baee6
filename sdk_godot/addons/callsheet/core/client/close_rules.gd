@tool
extends RefCounted
## What a close code means for a client (docs/wire-protocol.md, "Close codes").

const Protocol := preload("../messages/protocol.gd")

const GOING_AWAY := 1001
const NO_STATUS := 1005
const ABNORMAL := 1006


## True if the session can go on in a new connection.
static func is_resumable(code: int) -> bool:
	return code in Protocol.RESUMABLE or code in [GOING_AWAY, NO_STATUS, ABNORMAL]


## False for the closes after which trying again by itself does not help.
static func reconnects(code: int) -> bool:
	return code != Protocol.Close.NORMAL and not code in Protocol.FINAL


## The reason, or the code if there is none.
static func why(code: int, reason: String) -> String:
	return "closed with code %d" % code if reason.is_empty() else reason
