@tool
class_name CallsheetAction
extends RefCounted
## Something that an NPC wants to do. The game carries it out, or not, and says so once.

const Npc := preload("npc.gd")
const Session := preload("../client/session.gd")

const MAX_MESSAGE_CHARS := 1000

var npc: Npc
var name: String
## Valid under the schema of the action.
var arguments: Dictionary
## True once the server was told what became of it.
var is_complete := false

var _session: Session
var _number: int


func _init(session: Session, actor: Npc, message: Dictionary) -> void:
	_session = session
	_number = message.action
	npc = actor
	name = message.name
	arguments = message.arguments


## Tell what became of it, in one sentence: the NPC remembers it, the script's mod is told. False if it was
## told already, or if the session is over.
func complete(ok: bool, message := "") -> bool:
	if is_complete:
		return false
	is_complete = true
	return _session.send({
		"type": "action_result", "action": _number, "ok": ok,
		"message": message.left(MAX_MESSAGE_CHARS),
	})
