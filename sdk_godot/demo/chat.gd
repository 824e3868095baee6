class_name Chat
extends CanvasLayer
## The line at the foot of the screen: help, what happened, and what the player types.

signal said(text: String)

@onready var _line: LineEdit = $Panel/Box/Line
@onready var _help: Label = $Panel/Box/Help


func _ready() -> void:
	_line.text_submitted.connect(_on_submitted)
	_line.gui_input.connect(_on_key)
	_line.hide()


func is_open() -> bool:
	return _line.visible


func open(partner: String) -> void:
	_line.placeholder_text = "To %s: type, then Enter. Escape leaves." % partner
	_line.clear()
	_line.show()
	_line.grab_focus()


func close() -> void:
	_line.release_focus()
	_line.hide()


func tell(text: String) -> void:
	_help.text = text


func _on_submitted(text: String) -> void:
	close()
	if text.strip_edges():
		said.emit(text)


func _on_key(event: InputEvent) -> void:
	if event.is_action_pressed("ui_cancel"):
		close()
