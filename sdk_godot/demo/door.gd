class_name Door
extends Node2D
## The door of the inn.

const SIZE := Vector2(34.0, 48.0)
const OPENS_S := 0.6

var is_open: bool:
	get:
		return _opened > 0.5
	set(value):
		_opened = 1.0 if value else 0.0

var _opened := 0.0:
	set(value):
		_opened = value
		queue_redraw()


func open() -> void:
	if is_open:
		return
	var tween := create_tween()
	tween.tween_property(self, "_opened", 1.0, OPENS_S).set_trans(Tween.TRANS_SINE)
	await tween.finished


func _draw() -> void:
	var frame := Rect2(Vector2(-SIZE.x / 2.0, -SIZE.y), SIZE)
	draw_rect(frame.grow(3.0), Color(0.36, 0.24, 0.15))
	draw_rect(frame, Color(1.0, 0.82, 0.45).lerp(Color(0.1, 0.07, 0.05), 1.0 - _opened))
	var leaf := Rect2(frame.position, Vector2(SIZE.x * lerpf(1.0, 0.18, _opened), SIZE.y))
	draw_rect(leaf, Color(0.5, 0.31, 0.17))
	for board in range(1, 4):
		var x := leaf.position.x + leaf.size.x * board / 4.0
		draw_line(Vector2(x, leaf.position.y), Vector2(x, leaf.end.y), Color(0.4, 0.24, 0.13), 1.0)
	draw_circle(Vector2(leaf.end.x - 4.0, -SIZE.y * 0.48), 2.2, Color(0.9, 0.75, 0.35))
	if _opened > 0.0:
		var light := PackedVector2Array([Vector2(-17.0, 0.0), Vector2(17.0, 0.0), Vector2(34.0, 40.0), Vector2(-34.0, 40.0)])
		draw_colored_polygon(light, Color(1.0, 0.85, 0.5, 0.35 * _opened))
