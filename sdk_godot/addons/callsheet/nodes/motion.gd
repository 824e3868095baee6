## The place of a node in metres, and how fast it went there.

## Faster than anything walks, drives or flies in a game: the node was put elsewhere.
const JUMP_MPS := 1000.0

var _node: Node
var _mover: RefCounted
var _last := Vector3.ZERO
var _last_time_s := NAN
var _is_astray := false


func _init(node: Node, mover: RefCounted) -> void:
	_node = node
	_mover = mover


## Tell the mover where its node is. One that is nowhere the server could be told of is left out until
## it is back, and the console says so once.
func tell(game_time_s: float, pixels_per_m: float) -> void:
	var place := _place(pixels_per_m)
	var elapsed_s := game_time_s - _last_time_s
	var velocity := Vector3.ZERO
	if elapsed_s > 0.0:
		velocity = (place - _last) / elapsed_s
		if not velocity.length_squared() <= JUMP_MPS * JUMP_MPS:
			velocity = Vector3.ZERO
	if elapsed_s != 0.0:
		_last = place
		_last_time_s = game_time_s
	var told: bool = _mover.set_motion(place, velocity)
	if not told and not _is_astray:
		push_warning("[Callsheet] %s is at %s, more than 1e7 m away or nowhere: it is inactive for the server until it is back" % [_node.name, place])
	_is_astray = not told


## Godot's 2D has y downwards and pixels; the server's world is 3D, with y upwards, in metres.
func _place(pixels_per_m: float) -> Vector3:
	if _node is Node3D:
		return (_node as Node3D).global_position
	if _node is Node2D:
		var place_2d := (_node as Node2D).global_position / pixels_per_m
		return Vector3(place_2d.x, 0.0, place_2d.y)
	return Vector3.ZERO
