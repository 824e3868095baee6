class_name StandInEditor
extends Node
## The part of EditorPlugin and EditorInterface that the plugin uses; release builds have neither.

enum { DOCK_SLOT_RIGHT_BL = 5 }

static var settings := EditorSettingsStandIn.new()

var autoloads := {}
var docks: Array[Control] = []


class EditorSettingsStandIn:
	var values := {}

	func has_setting(name: String) -> bool:
		return values.has(name)

	func get_setting(name: String) -> Variant:
		return values[name]

	func set_setting(name: String, value: Variant) -> void:
		values[name] = value

	func set_initial_value(_name: StringName, _value: Variant, _update_current: bool) -> void:
		pass


static func get_editor_settings() -> EditorSettingsStandIn:
	return settings


func add_autoload_singleton(autoload: String, path: String) -> void:
	autoloads[autoload] = path


func remove_autoload_singleton(autoload: String) -> void:
	autoloads.erase(autoload)


func add_control_to_dock(_slot: int, control: Control) -> void:
	docks.append(control)
	add_child(control)


func remove_control_from_docks(control: Control) -> void:
	docks.erase(control)
	remove_child(control)
