@tool
extends RefCounted
## Decides whom the next tick looks at, and writes it.
##
## A frame looks at so many NPCs at most, in turn. A delta names those of them who moved or have news, and
## goes out at once. A keyframe has to name everybody: it is gathered over as many frames as that takes,
## and then goes out.

const Npc := preload("npc.gd")
const Player := preload("player.gd")
const Session := preload("../client/session.gd")
const TickWriter := preload("../client/tick_writer.gd")
const WorldOptions := preload("world_options.gd")

const KEPT_TIMES := 256

var ticks_sent := 0
var last_tick_bytes := 0
## From sending a tick to its ack, by the last ack; NAN before that, and without `ack_ticks`.
var round_trip_s := NAN
var game_time_s := 0.0

var _session: Session
var _options: WorldOptions
var _npcs: Array[Npc]
var _players: Array[Player]
var _writer := TickWriter.new()
var _sent_at_s := PackedFloat64Array()
var _number := 0
var _cursor := 0
var _next_tick_s := -INF
var _next_keyframe_s := -INF
var _is_keyframe_due := true
var _is_gathering := false
var _rewinds := false


func _init(
	session: Session, options: WorldOptions, npcs: Array[Npc], players: Array[Player]
) -> void:
	_session = session
	_options = options
	_npcs = npcs
	_players = players
	_sent_at_s.resize(KEPT_TIMES)


## A session is open: a new one counts anew, and may find the world at a later time than this game's.
func begin(is_resumed: bool, can_rewind: bool) -> void:
	call_for_keyframe()
	if not is_resumed:
		_number = 0
		_rewinds = can_rewind


## Who is in the world changed, or its time: the next tick says all anew.
func call_for_keyframe() -> void:
	_is_keyframe_due = true
	_is_gathering = false


## Somebody left the list of NPCs: what was gathered so far would leave somebody out.
func lost_somebody() -> void:
	if _is_gathering:
		call_for_keyframe()


func is_due(now_s: float) -> bool:
	return (_is_gathering or now_s >= _next_tick_s) and _session.can_send_tick()


## The NPCs that the next tick looks at.
func npcs_due(now_s: float) -> Array[Npc]:
	var first := _first(now_s)
	return _npcs.slice(first, first + _options.max_npcs_per_tick)


## The clock goes on; one that went back is told with a keyframe that says so.
func take_time(time_s: float, can_rewind: bool) -> void:
	if time_s < game_time_s and can_rewind:
		_rewinds = true
		call_for_keyframe()
	game_time_s = time_s if _rewinds else maxf(game_time_s, time_s)


## Look at those who are due, and send what is whole.
func tick(now_s: float) -> void:
	var first := _first(now_s)
	var end := mini(first + _options.max_npcs_per_tick, _npcs.size())
	if not _is_gathering:
		_is_gathering = _wants_keyframe(now_s)
		_next_tick_s = maxf(_next_tick_s + 1.0 / _rate(), now_s)
		_writer.begin(
			TickWriter.Kind.KEYFRAME if _is_gathering else TickWriter.Kind.DELTA, _options.ack_ticks
		)
	_write_npcs(first, end)
	_cursor = end
	if _is_gathering and end < _npcs.size():
		return
	_write_players()
	_writer.finish(_number, game_time_s, _is_gathering and _rewinds)
	if _session.try_send_tick(_writer):
		_sent(now_s)


func take_ack(number: int, now_s: float) -> void:
	if _number - number <= KEPT_TIMES:
		round_trip_s = now_s - _sent_at_s[number % KEPT_TIMES]


## The first NPC to look at: a keyframe begins with the first of all.
func _first(now_s: float) -> int:
	if _is_gathering:
		return _cursor
	return 0 if _wants_keyframe(now_s) or _cursor >= _npcs.size() else _cursor


func _wants_keyframe(now_s: float) -> bool:
	return _is_keyframe_due or now_s >= _next_keyframe_s


func _rate() -> float:
	return minf(_options.ticks_per_s, _session.welcome.limits.max_ticks_per_s)


func _write_npcs(first: int, end: int) -> void:
	for i in range(first, end):
		var npc := _npcs[i]
		if npc.is_told and (_is_gathering or npc.has_news):
			_writer.add_npc(npc.record)
			npc.sent()


func _write_players() -> void:
	for player in _players:
		if player.is_told and (_is_gathering or player.has_news):
			_writer.add_player(player.record)
			player.sent()


func _sent(now_s: float) -> void:
	if _is_gathering:
		_is_gathering = false
		_is_keyframe_due = false
		_rewinds = false
		_next_keyframe_s = now_s + _options.keyframe_interval_s
	last_tick_bytes = _writer.size()
	ticks_sent += 1
	_sent_at_s[_number % KEPT_TIMES] = now_s
	_number += 1
