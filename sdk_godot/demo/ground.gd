extends Node2D
## Grass, paths, the lake, trees and houses.

const PATH := Color(0.83, 0.76, 0.6)
const TREES: Array[Vector2] = [
	Vector2(70, 110), Vector2(120, 470), Vector2(420, 90), Vector2(560, 500), Vector2(890, 330), Vector2(300, 520), Vector2(60, 330),
]


func _draw() -> void:
	for tuft in 160:
		var place := Vector2(fmod(tuft * 137.5, 960.0), fmod(tuft * 71.3, 600.0))
		draw_line(place, place + Vector2(2.0, -5.0), Color(0.48, 0.62, 0.37), 1.5)
	draw_colored_polygon(_ellipse(Vector2(830, 520), Vector2(190, 110)), Color(0.8, 0.76, 0.58))
	draw_colored_polygon(_ellipse(Vector2(830, 525), Vector2(175, 98)), Color(0.42, 0.64, 0.78))
	draw_polyline(PackedVector2Array([Vector2(-10, 330), Vector2(230, 300), Vector2(480, 330), Vector2(740, 290), Vector2(970, 230)]), PATH, 46.0, true)
	draw_line(Vector2(230, 300), Vector2(230, 235), PATH, 34.0)
	draw_line(Vector2(640, 300), Vector2(640, 205), PATH, 34.0)
	_house(Rect2(140, 120, 180, 115), Color(0.93, 0.87, 0.75), Color(0.62, 0.27, 0.2))
	_house(Rect2(570, 110, 140, 95), Color(0.86, 0.84, 0.82), Color(0.36, 0.4, 0.48))
	draw_rect(Rect2(623, 162, 34, 43), Color(0.36, 0.3, 0.26))
	for tree in TREES:
		_tree(tree)


func _house(walls: Rect2, color: Color, roof: Color) -> void:
	var front := walls.grow_side(SIDE_TOP, -30.0)
	draw_rect(Rect2(front.position + Vector2(8, 10), front.size), Color(0, 0, 0, 0.12))
	draw_rect(front, color)
	var top := walls.position.y
	var eaves := PackedVector2Array([
		Vector2(walls.position.x - 14, top + 34), Vector2(walls.position.x + 18, top - 26), Vector2(walls.end.x - 18, top - 26), Vector2(walls.end.x + 14, top + 34),
	])
	draw_colored_polygon(eaves, roof)
	for row in range(1, 4):
		var y := top - 26 + row * 15.0
		draw_line(Vector2(walls.position.x + 18 - row * 8, y), Vector2(walls.end.x - 18 + row * 8, y), roof.darkened(0.15), 2.0)
	for x: float in [walls.position.x + 22, walls.end.x - 48]:
		draw_rect(Rect2(x, top + 52, 26, 24), Color(0.4, 0.28, 0.18))
		draw_rect(Rect2(x + 3, top + 55, 20, 18), Color(0.75, 0.87, 0.92))


func _tree(foot: Vector2) -> void:
	draw_colored_polygon(_ellipse(foot, Vector2(22, 8)), Color(0, 0, 0, 0.16))
	draw_rect(Rect2(foot - Vector2(4, 22), Vector2(8, 22)), Color(0.45, 0.32, 0.2))
	draw_circle(foot - Vector2(0, 42), 25.0, Color(0.27, 0.47, 0.27), true, -1.0, true)
	draw_circle(foot - Vector2(6, 48), 17.0, Color(0.34, 0.55, 0.31), true, -1.0, true)


func _ellipse(centre: Vector2, radii: Vector2) -> PackedVector2Array:
	var points := PackedVector2Array()
	for step in 48:
		points.append(centre + Vector2.from_angle(TAU * step / 48.0) * radii)
	return points
