@tool
extends RefCounted
## When to ping, when a connection counts as dead, and how far the server's clock is ahead.

const SAMPLES := 8
const SILENT_INTERVALS := 3

## Server clock minus client clock, from the quickest of the last round trips; NAN before the first.
var clock_offset_s := NAN
## The quickest of the last round trips; NAN before the first.
var round_trip_s := NAN

var _interval_s := 0.0
var _last_ping_s := 0.0
var _last_heard_s := 0.0
var _last_tick_s := 0.0
var _round_trips_s := PackedFloat64Array()
var _offsets_s := PackedFloat64Array()


func start(now_s: float, interval_s: float) -> void:
	_interval_s = interval_s
	_last_heard_s = now_s
	_last_tick_s = now_s
	_last_ping_s = now_s - interval_s
	_round_trips_s.clear()
	_offsets_s.clear()
	clock_offset_s = NAN
	round_trip_s = NAN


func heard(now_s: float) -> void:
	_last_heard_s = now_s


## Time in which nobody looked (a paused game, a page in the background) does not count as silence.
func tick(now_s: float) -> void:
	var gap_s := now_s - _last_tick_s
	if gap_s > _interval_s:
		_last_heard_s += gap_s
	_last_tick_s = now_s


func is_dead(now_s: float) -> bool:
	return now_s - _last_heard_s > SILENT_INTERVALS * _interval_s


func is_ping_due(now_s: float) -> bool:
	if now_s - _last_ping_s < _interval_s:
		return false
	_last_ping_s = now_s
	return true


func pong(sent_s: float, now_s: float, server_time_s: float) -> void:
	if sent_s > now_s:
		return
	if _offsets_s.size() == SAMPLES:
		_round_trips_s.remove_at(0)
		_offsets_s.remove_at(0)
	_round_trips_s.append(now_s - sent_s)
	_offsets_s.append(server_time_s - (sent_s + now_s) / 2.0)
	var best := 0
	for i in _round_trips_s.size():
		best = i if _round_trips_s[i] < _round_trips_s[best] else best
	round_trip_s = _round_trips_s[best]
	clock_offset_s = _offsets_s[best]
