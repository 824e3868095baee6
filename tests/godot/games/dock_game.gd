extends Control
## A game with the dock in it: an NPC talks, the dock shows it.

const Dock := preload("res://addons/callsheet/editor/dock.gd")


func _ready() -> void:
	set_anchors_preset(PRESET_FULL_RECT)
	var settings := CallsheetSettings.new()
	settings.server_url = OS.get_cmdline_user_args()[0]
	settings.world = "docked"
	var client := CallsheetClient.new()
	client.settings = settings
	add_child(client)
	for who: String in ["Bram", "Ida", "Old Tom"]:
		var body := Node2D.new()
		body.name = who
		body.add_child(CallsheetNpc.new())
		add_child(body)
	if not client.is_connected_to_server():
		await client.connected
	var dock := Dock.new()
	dock.settings = settings
	dock.size = Vector2(420, 320)
	add_child(dock)
	var tree: Tree = dock.find_children("*", "Tree", true, false)[0]
	while tree.get_root() == null or tree.get_root().get_child_count() < 3:
		await get_tree().process_frame
	print("ROWS 3")
	var reply: CallsheetReply = await $Bram.get_child(0).say("Good evening!")
	while tree.get_root() == null or not _shows(tree, "Bram", reply.text):
		await get_tree().process_frame
	print("REPLY ", reply.text)
	print("PASSED")


func _shows(tree: Tree, npc: String, text: String) -> bool:
	return tree.get_root().get_children().any(func(item: TreeItem) -> bool:
		return item.get_text(0) == npc and item.get_text(3) == text and item.get_text(2) in ["device", "host", "disk", "absent"])
