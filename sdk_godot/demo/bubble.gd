class_name Bubble
extends PanelContainer
## Speech above a figure.

const WIDTH_PX := 230.0
const ABOVE_PX := 46.0
const MARGIN_PX := 8.0
const STAYS_S := 6.0

var _label := Label.new()
var _hides_at_s := INF


func _init() -> void:
	var box := StyleBoxFlat.new()
	box.bg_color = Color(1.0, 1.0, 0.98)
	box.set_corner_radius_all(10)
	box.set_content_margin_all(8.0)
	box.content_margin_left = 12.0
	box.content_margin_right = 12.0
	box.shadow_color = Color(0.0, 0.0, 0.0, 0.25)
	box.shadow_size = 4
	add_theme_stylebox_override("panel", box)
	_label.add_theme_color_override("font_color", Color(0.15, 0.13, 0.12))
	_label.add_theme_font_size_override("font_size", 14)
	_label.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	_label.custom_minimum_size.x = WIDTH_PX
	add_child(_label)
	z_index = 10
	hide()


func say(text: String) -> void:
	_label.text = text
	_hides_at_s = INF
	show()
	reset_size()


func hide_soon() -> void:
	_hides_at_s = Time.get_ticks_msec() / 1e3 + STAYS_S


func _process(_delta: float) -> void:
	if Time.get_ticks_msec() / 1e3 > _hides_at_s:
		hide()
	var foot: Vector2 = (get_parent() as Node2D).global_position
	var place := foot - Vector2(size.x / 2.0, size.y + ABOVE_PX)
	var room := get_viewport_rect().size - size
	global_position = place.clamp(Vector2.ONE * MARGIN_PX, room - Vector2.ONE * MARGIN_PX)
