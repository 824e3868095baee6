@tool
extends RefCounted
## Waits between attempts: they double up to a limit, each shortened by up to half at random.

var _min_s: float
var _max_s: float
var _next_s: float
var _random := RandomNumberGenerator.new()


func _init(min_s: float, max_s: float, jitter_seed: int) -> void:
	_min_s = min_s
	_max_s = max_s
	_next_s = min_s
	_random.seed = jitter_seed


func reset() -> void:
	_next_s = _min_s


## The next wait, in seconds.
func next_s() -> float:
	var wait_s := _next_s * _random.randf_range(0.5, 1.0)
	_next_s = minf(_next_s * 2.0, _max_s)
	return wait_s
