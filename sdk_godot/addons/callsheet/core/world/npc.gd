@tool
extends "mover.gd"
## An NPC of a world.

## It begins to answer somebody: the game, a mod or another NPC asked.
signal reply_started(reply: CallsheetReply)
signal text_added(reply: CallsheetReply, text: String)
## The sentence can be voiced.
signal sentence_ended(reply: CallsheetReply, sentence: String)
## A reply ended or failed.
signal reply_completed(reply: CallsheetReply)
## It wants to act.
signal acted(action: CallsheetAction)
## The server told its state, with the topic `npcs`.
signal state_changed(state: Dictionary)

const UNAVAILABLE := 1
const CLEAR_SCHEDULE := 2
const RECORD_BYTES := 36
const NEXT_CALL_AT := 28
const FLAGS_AT := 32
const QUIET_NAN := 0x7FC00000

## What the server said of it last: `distance_s`, `tier` ...; empty before that.
var last_state := {}
## Facts for scripts, by name; told when it is spawned.
var facts := {}
## It cannot talk now: asleep, dead, in a cutscene.
var is_unavailable: bool:
	get:
		return record.decode_u32(FLAGS_AT) & UNAVAILABLE != 0
	set(value):
		if value != is_unavailable:
			record.encode_u32(FLAGS_AT, record.decode_u32(FLAGS_AT) ^ UNAVAILABLE)
			has_news = true

var _is_hinted := false


func _init(its_id: String, its_spec: Dictionary) -> void:
	super(its_id, its_spec, RECORD_BYTES)
	record.encode_u32(NEXT_CALL_AT, QUIET_NAN)


## Tell in how many seconds of game time it will need the model; sent with the next tick. False if that is
## no number from 0 up.
func hint_next_call(in_s: float) -> bool:
	if not is_finite(in_s) or in_s < 0.0:
		return false
	record.encode_float(NEXT_CALL_AT, in_s)
	record.encode_u32(FLAGS_AT, record.decode_u32(FLAGS_AT) & ~CLEAR_SCHEDULE)
	_is_hinted = true
	has_news = true
	return true


## Take the hinted call back; sent with the next tick.
func clear_hint() -> void:
	record.encode_u32(NEXT_CALL_AT, QUIET_NAN)
	record.encode_u32(FLAGS_AT, record.decode_u32(FLAGS_AT) | CLEAR_SCHEDULE)
	_is_hinted = true
	has_news = true


func sent() -> void:
	super()
	if _is_hinted:
		_is_hinted = false
		record.encode_u32(NEXT_CALL_AT, QUIET_NAN)
		record.encode_u32(FLAGS_AT, record.decode_u32(FLAGS_AT) & ~CLEAR_SCHEDULE)


## Show what the server said of it.
func take_state(state: Dictionary) -> void:
	last_state = state
	state_changed.emit(state)


## Keep a change of its spec, for the next session.
func take_update(changes: Dictionary) -> void:
	spec.merge(changes.duplicate(true), true)
	name = spec.get("name", "")
	if spec.get("adapter") == "":
		spec.erase("adapter")
