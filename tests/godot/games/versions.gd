extends Node
## A game that meets servers of other versions, which this script plays.

const Rig := preload("res://core/rig.gd")


func _ready() -> void:
	RenderingServer.render_loop_enabled = false  # nobody looks
	for version: String in OS.get_cmdline_user_args():
		await _meet(version)
	print("PASSED")


func _meet(version: String) -> void:
	var rig := Rig.new()
	rig.server_protocol = version
	CallsheetClient.make_transport = rig.new_connection
	var client := CallsheetClient.new()
	client.settings = CallsheetSettings.new()
	add_child(client)
	while rig.connections.is_empty():
		await get_tree().process_frame
	rig.line().accept()
	while rig.next("hello").is_empty():
		await get_tree().process_frame
	rig.welcome()
	while client.session.welcome.is_empty() and client.session.state != client.Session.State.FAILED:
		await get_tree().process_frame
	await get_tree().process_frame
	await get_tree().process_frame
	print("%s: open %s" % [version, client.is_connected_to_server()])
	client.free()
