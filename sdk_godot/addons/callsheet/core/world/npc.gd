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

## What the server said of it last: `distance_s`, `tier` ...; empty before that.
var last_state := {}
## Bits of a tick's record.
var flags := 0
## Seconds of game time to the call that was hinted since the last tick; NAN = none.
var next_call_s := NAN

## It cannot talk now: asleep, dead, in a cutscene.
var is_unavailable: bool:
	get:
		return flags & UNAVAILABLE != 0
	set(value):
		if value != is_unavailable:
			flags ^= UNAVAILABLE
			_is_changed = true

var _is_changed := false


## Tell in how many seconds of game time it will need the model; sent with the next tick. False if that is
## no number from 0 up.
func hint_next_call(in_s: float) -> bool:
	if not is_finite(in_s) or in_s < 0.0:
		return false
	next_call_s = in_s
	flags &= ~CLEAR_SCHEDULE
	_is_changed = true
	return true


## Take the hinted call back; sent with the next tick.
func clear_hint() -> void:
	next_call_s = NAN
	flags |= CLEAR_SCHEDULE
	_is_changed = true


func has_news(position_step_2: float, velocity_step_2: float) -> bool:
	return _is_changed or super(position_step_2, velocity_step_2)


func sent() -> void:
	super()
	if _is_changed:
		_is_changed = false
		next_call_s = NAN
		flags &= ~CLEAR_SCHEDULE


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
