@tool
extends RefCounted
## Protocol versions, major.minor.

const Protocol := preload("protocol.gd")

const UPGRADE_SERVER := "upgrade the server: pip install --upgrade callsheet"
const UPGRADE_CLIENT := "upgrade the Godot addon addons/callsheet"


## Tell why a server of that version cannot be talked to, and which side to upgrade; empty if it can.
static func mismatch(server: String) -> String:
	var theirs := _major(server)
	var ours := _major(Protocol.PROTOCOL)
	if theirs == ours:
		return ""
	var is_older := theirs >= 0 and theirs < ours
	return "%s; %s" % [_both(server), UPGRADE_SERVER if is_older else UPGRADE_CLIENT]


## Tell what to do about a server of an older minor version; empty if it is not older.
static func lag(server: String) -> String:
	if _minor(server) >= _minor(Protocol.PROTOCOL):
		return ""
	return "%s; to use all of it %s" % [_both(server), UPGRADE_SERVER]


## True if a server of that version knows what came with a minor version.
static func has(server: String, minor: int) -> bool:
	return _minor(server) >= minor


## -1 if the text is no version.
static func _major(version: String) -> int:
	return version.get_slice(".", 0).to_int() if _is_version(version) else -1


static func _minor(version: String) -> int:
	return version.get_slice(".", 1).to_int() if _is_version(version) else -1


static func _is_version(version: String) -> bool:
	var parts := version.split(".")
	return parts.size() == 2 and parts[0].is_valid_int() and parts[1].is_valid_int()


static func _both(server: String) -> String:
	return "the server speaks protocol %s, this client %s" % [server, Protocol.PROTOCOL]
