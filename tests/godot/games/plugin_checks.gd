extends Checks
## The plugin in a stand-in for the editor.

const Plugin := preload("res://addons/callsheet/plugin.gd")


func test_it_adds_and_removes_the_autoload() -> void:
	var plugin := Plugin.new()
	plugin._enable_plugin()
	equal(plugin.autoloads.keys(), ["Callsheet"])
	check(load(plugin.autoloads.Callsheet).new() is CallsheetClient, "the autoload is no client")
	plugin._disable_plugin()
	equal(plugin.autoloads, {})
	plugin.free()


func test_its_dock_comes_and_goes_with_it() -> void:
	StandInEditor.settings.set_setting("callsheet/server_program", "/opt/callsheet")
	var plugin := Plugin.new()
	add_child(plugin)
	equal(plugin.docks.size(), 1)
	equal(plugin.docks[0].server.program, "/opt/callsheet")
	remove_child(plugin)
	equal(plugin.docks, [] as Array[Control])
	plugin.free()
