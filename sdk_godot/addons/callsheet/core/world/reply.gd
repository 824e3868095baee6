@tool
class_name CallsheetReply
extends "../client/request_handler.gd"
## What an NPC answers, while it comes in: `await reply.finished()`.

const Npc := preload("npc.gd")
const Round := preload("round.gd")
const Session := preload("../client/session.gd")

## The NPC has not begun to answer. It speaks. Complete: nothing follows. Refused, or the session ended: see
## `error`; nothing follows.
enum State { WAITING, SPEAKING, ENDED, FAILED }

signal started
signal text_added(text: String)
## A sentence is whole and can be voiced.
signal sentence_ended(sentence: String)
## What the NPC does while it speaks, apart from what it says.
signal stage_direction_given(direction: String)
## Nothing follows.
signal completed

var npc: Npc
var state := State.WAITING
## The text so far; the whole text once the reply has ended.
var text := ""
## What is answered; empty before the reply starts and for lines given by the game.
var heard := ""
## Who is answered; empty before the reply starts.
var speaker := {}
## How it ended, with token counts and times; empty before that.
var end := {}
## Why it failed; null if it did not.
var error: CallsheetError
## True if this game asked; false if a mod or another NPC did.
var is_own: bool

var _session: Session
var _request: Dictionary
## Those it answers in turn with; null if it answers alone. It does not hold this reply.
var _round: WeakRef
var _id := 0
var _is_cancelled := false
var _voiced_chars := 0


## The request is empty for a reply that somebody else asked for.
func _init(session: Session, answering: Npc, request: Dictionary, together: Round = null) -> void:
	_session = session
	_request = request
	_round = weakref(together) if together else null
	npc = answering
	is_own = not request.is_empty()


func is_complete() -> bool:
	return state == State.ENDED or state == State.FAILED


## Wait until nothing follows, and return the reply.
func finished() -> CallsheetReply:
	if not is_complete():
		await completed
	return self


## Stop the reply, and those of the others who answer in turn. It ends with what was said so far, and the
## reason "cancelled".
func cancel() -> void:
	if is_complete() or _is_cancelled or not is_own:
		return
	_is_cancelled = true
	var together: Round = _round.get_ref() if _round else null
	if _id > 0:
		_session.send({ "type": "cancel", "id": _id })
	elif together and _session.withdraw(together):
		together.end_unsaid()
	elif _session.withdraw(self):
		end_unsaid()


func on_sent(id: int) -> void:
	_id = id


func on_message(message: Dictionary) -> void:
	if is_complete():
		return
	match message.type:
		"reply_start":
			_start(message)
		"reply_delta":
			_add(message)
		"action":
			_act(message)
		"reply_end":
			_end(message)


func on_failed(why: CallsheetError) -> void:
	var is_unknown := why.code == "unknown_npc"
	if is_unknown and not _is_cancelled and npc.is_expected():
		# Its spawn was refused for the sake of another and is tried again: so is this.
		_id = 0
		_session.request(_request, self)
		return
	fail(npc.refusal if is_unknown and npc.refusal else why)


func fail(why: CallsheetError) -> void:
	if not is_complete():
		error = why
		_finish(State.FAILED)


## It was cancelled before anything was sent.
func end_unsaid() -> void:
	end = { "npc": npc.id, "text": "", "finish_reason": "cancelled" }
	_finish(State.ENDED)


func _start(message: Dictionary) -> void:
	heard = message.get("heard", "")
	speaker = message.get("speaker", {})
	state = State.SPEAKING
	started.emit()
	npc.reply_started.emit(self)


func _add(message: Dictionary) -> void:
	if message.has("stage_direction"):
		stage_direction_given.emit(message.stage_direction)
	var added: String = message.text
	text += added
	if not added.is_empty():
		text_added.emit(added)
		npc.text_added.emit(self, added)
	if message.get("ends_sentence", false):
		_voice()


## What was said since the last whole sentence is one now.
func _voice() -> void:
	var sentence := text.substr(_voiced_chars).strip_edges()
	_voiced_chars = text.length()
	if not sentence.is_empty():
		sentence_ended.emit(sentence)
		npc.sentence_ended.emit(self, sentence)


func _act(message: Dictionary) -> void:
	var action := CallsheetAction.new(_session, npc, message)
	if npc.acted.get_connections().is_empty():
		action.complete(false, "the game has no handler for actions of %s" % npc.id)
	npc.acted.emit(action)


func _end(message: Dictionary) -> void:
	end = message
	text = message.text
	if message.finish_reason != "error":
		_voice()
		_finish(State.ENDED)
		return
	var code: String = message.get("code", "internal")
	var cause: String = message.get("message", code)
	fail(CallsheetError.new(code, "the reply of %s failed: %s" % [npc.id, cause]))


func _finish(final: State) -> void:
	state = final
	completed.emit()
	npc.reply_completed.emit(self)
