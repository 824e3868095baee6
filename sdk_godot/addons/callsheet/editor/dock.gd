@tool
extends VBoxContainer
## The dock: who is about to talk, and the local server. Works in a running game, too.

const NpcWatch := preload("npc_watch.gd")
const LocalServer := preload("local_server.gd")

const COLUMNS: Array[String] = ["NPC", "Distance", "Tier", "Last reply"]
const WIDTHS: Array[int] = [110, 70, 60, 160]
const TIER_COLORS := {
	"device": Color(0.3, 0.8, 0.4),
	"host": Color(0.95, 0.85, 0.3),
	"disk": Color(0.95, 0.55, 0.25),
	"absent": Color(0.6, 0.6, 0.6),
}

var server := LocalServer.new()
var settings: CallsheetSettings

var _watch: NpcWatch
var _status := Label.new()
var _filter := LineEdit.new()
var _tree := Tree.new()
var _start := MenuButton.new()
var _stop := Button.new()


func _init() -> void:
	name = "Callsheet"
	custom_minimum_size = Vector2(240, 160)
	var buttons := HBoxContainer.new()
	_start.text = "Start server"
	_start.flat = false
	_start.get_popup().add_item("With the model of its settings")
	_start.get_popup().add_item("With fixed replies, no model")
	_start.get_popup().index_pressed.connect(func(index: int) -> void: _start_server(index == 1))
	_stop.text = "Stop"
	_stop.pressed.connect(func() -> void: server.stop())
	buttons.add_child(_start)
	buttons.add_child(_stop)
	add_child(buttons)
	_status.autowrap_mode = TextServer.AUTOWRAP_WORD_SMART
	add_child(_status)
	_filter.placeholder_text = "Filter"
	_filter.clear_button_enabled = true
	_filter.text_changed.connect(func(_text: String) -> void: _show())
	add_child(_filter)
	_tree.columns = COLUMNS.size()
	_tree.column_titles_visible = true
	_tree.hide_root = true
	_tree.size_flags_vertical = Control.SIZE_EXPAND_FILL
	for column in COLUMNS.size():
		_tree.set_column_title(column, COLUMNS[column])
		_tree.set_column_title_alignment(column, HORIZONTAL_ALIGNMENT_LEFT)
		_tree.set_column_custom_minimum_width(column, WIDTHS[column])
		_tree.set_column_expand(column, column == COLUMNS.size() - 1)
	add_child(_tree)


func _ready() -> void:
	visibility_changed.connect(_on_visibility_changed)
	_on_visibility_changed()


func _exit_tree() -> void:
	_close()


func _process(_delta: float) -> void:
	if _watch:
		_watch.tick(Time.get_ticks_usec() / 1e6)
	_stop.disabled = not server.is_running()


## Nobody looks on while nobody looks.
func _on_visibility_changed() -> void:
	if not is_visible_in_tree():
		_close()
	elif _watch == null:
		settings = settings if settings else CallsheetSettings.of_project()
		_watch = NpcWatch.new(settings)
		_watch.changed.connect(_show)


func _close() -> void:
	if _watch:
		_watch.close(Time.get_ticks_usec() / 1e6)
		_watch = null


func _start_server(scripted: bool) -> void:
	var fault := server.start(settings.server_url, scripted)
	if fault:
		_status.text = fault


func _show() -> void:
	_status.text = _watch.status
	_tree.clear()
	var root := _tree.create_item()
	for row in _watch.rows(_filter.text):
		var item := _tree.create_item(root)
		item.set_text(0, row.npc)
		item.set_text(1, "%.1f s" % row.distance_s if row.has("distance_s") else "none")
		item.set_text(2, row.tier)
		item.set_custom_color(2, TIER_COLORS.get(row.tier, Color.WHITE))
		item.set_text(3, row.reply)
		item.set_tooltip_text(3, row.reply)
