@tool
extends EditorPlugin
## Adds the autoload [code]Callsheet[/code] and the dock.

const Dock := preload("editor/dock.gd")
const AUTOLOAD := "Callsheet"
const PROGRAM := "callsheet/server_program"

var _dock: Dock


func _enable_plugin() -> void:
	var folder: String = get_script().resource_path.get_base_dir()
	add_autoload_singleton(AUTOLOAD, folder.path_join("nodes/callsheet_client.gd"))


func _disable_plugin() -> void:
	remove_autoload_singleton(AUTOLOAD)


func _enter_tree() -> void:
	_dock = Dock.new()
	var editor_settings := EditorInterface.get_editor_settings()
	if not editor_settings.has_setting(PROGRAM):
		editor_settings.set_setting(PROGRAM, _dock.server.program)
	editor_settings.set_initial_value(PROGRAM, _dock.server.program, false)
	_dock.server.program = editor_settings.get_setting(PROGRAM)
	add_control_to_dock(DOCK_SLOT_RIGHT_BL, _dock)


func _exit_tree() -> void:
	_dock.server.stop()
	remove_control_from_docks(_dock)
	_dock.queue_free()
