@tool
extends RefCounted
## A token bucket: so many messages a second, in bursts of two seconds' worth.

const BURST_S := 2.0

var _per_s := 0.0
var _left := 0.0
var _filled_at_s := 0.0


func start(now_s: float, per_s: float) -> void:
	_per_s = per_s
	_left = per_s * BURST_S
	_filled_at_s = now_s


func allows(now_s: float) -> bool:
	_left = minf(_per_s * BURST_S, _left + (now_s - _filled_at_s) * _per_s)
	_filled_at_s = now_s
	return _left >= 1.0


## One message was sent, whether it was allowed or could not wait.
func spend() -> void:
	_left -= 1.0
