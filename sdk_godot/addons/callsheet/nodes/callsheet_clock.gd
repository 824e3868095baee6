class_name CallsheetClock
extends RefCounted
## The game's clock: NPCs' schedules, distances and saves follow it.
##
## It goes on with the game unless [member source] says otherwise.

## The game's own clock, a callable that returns seconds. While it is valid, the rest of this class is
## without effect, and it is for the game to set its clock when a save was loaded.
var source := Callable()

## Game time, s. Set it to jump; a load of a save sets it back.
var time_s: float:
	get:
		return source.call() if source.is_valid() else _time_s
	set(value):
		_time_s = value

## Seconds of game time in a second.
var speed := 1.0

## True: it stands still, as it does while the scene tree is paused.
var is_paused := false

var _time_s := 0.0


## Jump ahead: eight hours of sleep are 28,800 s.
func skip(seconds: float) -> void:
	_time_s += seconds


## Go on by a frame.
func advance(delta_s: float) -> void:
	if not is_paused:
		_time_s += delta_s * speed
