class_name Figure
extends Node2D
## A person, drawn.

@export var color := Color.WHITE
@export var hair := Color(0.35, 0.22, 0.14)

## Drawn with a ring at the feet: whom the player would talk to.
var is_near := false:
	set(value):
		if is_near != value:
			is_near = value
			queue_redraw()


func _draw() -> void:
	draw_set_transform(Vector2.ZERO, 0.0, Vector2(1.0, 0.45))
	draw_circle(Vector2.ZERO, 15.0, Color(0.0, 0.0, 0.0, 0.22))
	if is_near:
		draw_arc(Vector2.ZERO, 21.0, 0.0, TAU, 40, Color(1.0, 1.0, 1.0, 0.9), 2.5, true)
	draw_set_transform(Vector2.ZERO)
	draw_circle(Vector2(0.0, -11.0), 11.0, color.darkened(0.15), true, -1.0, true)
	draw_rect(Rect2(-11.0, -11.0, 22.0, 10.0), color.darkened(0.15))
	draw_circle(Vector2(0.0, -13.0), 10.0, color, true, -1.0, true)
	draw_circle(Vector2(0.0, -28.0), 9.0, hair, true, -1.0, true)
	draw_circle(Vector2(0.0, -26.5), 7.6, Color(0.96, 0.82, 0.69), true, -1.0, true)
	draw_circle(Vector2(-2.8, -26.0), 1.1, Color(0.2, 0.15, 0.1), true, -1.0, true)
	draw_circle(Vector2(2.8, -26.0), 1.1, Color(0.2, 0.15, 0.1), true, -1.0, true)
