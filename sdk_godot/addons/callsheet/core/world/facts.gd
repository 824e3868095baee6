@tool
extends "../client/request_handler.gd"
## Tells the server the facts of an NPC that it has not noted yet: what a script has noted since stays.

const Npc := preload("npc.gd")
const Session := preload("../client/session.gd")
const Versions := preload("../messages/versions.gd")

var _session: Session
var _npc: Npc


func _init(session: Session, npc: Npc) -> void:
	_session = session
	_npc = npc


## Ask which the server has, if it knows of facts at all.
func tell() -> void:
	if not _npc.facts.is_empty() and Versions.has(_session.welcome.protocol, 2):
		_session.request({ "type": "get_facts", "npc": _npc.id }, self)


func on_message(message: Dictionary) -> void:
	var new := _npc.facts.duplicate()
	for fact: String in message.facts:
		new.erase(fact)
	if _npc.is_spawned() and not new.is_empty():
		_session.request({ "type": "set_facts", "npc": _npc.id, "facts": new })
