@tool
extends "../client/request_handler.gd"
## One line put to several NPCs: hands what comes to the reply it belongs to.

const Npc := preload("npc.gd")
const Session := preload("../client/session.gd")

## A reply of each NPC, in their order.
var replies: Array[CallsheetReply] = []

var _begun := {}


func _init(session: Session, npcs: Array[Npc], request: Dictionary) -> void:
	for npc in npcs:
		replies.append(CallsheetReply.new(session, npc, request, self))


## The line was withdrawn before it was sent.
func end_unsaid() -> void:
	for reply in replies:
		reply.end_unsaid()


## The replies are cancelled together, by the request's number.
func on_sent(id: int) -> void:
	for reply in replies:
		reply.on_sent(id)


func on_message(message: Dictionary) -> void:
	if message.type == "reply_start":
		for reply in replies:
			if reply.npc.id == message.npc and not _begun.values().has(reply):
				_begun[message.reply] = reply
				break
	var addressed: CallsheetReply = _begun.get(message.get("reply"))
	if addressed:
		addressed.on_message(message)


func on_failed(error: CallsheetError) -> void:
	for reply in replies:
		reply.fail(error)
