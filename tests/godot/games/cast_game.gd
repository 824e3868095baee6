extends Node
## A game that plays a cast file on a real server: prints all it read, and what the server then knows.

const JsonWriter := preload("res://addons/callsheet/core/json/json_writer.gd")

var _writer := JsonWriter.new()


func _ready() -> void:
	RenderingServer.render_loop_enabled = false  # nobody looks
	for text: String in JSON.parse_string(FileAccess.get_file_as_string("res://cast/wrong.json")):
		_print("wrong: ", CallsheetCast.parse(text).fault)
	var cast := CallsheetCast.load_file("res://cast/town.cast.json")
	var specs := []
	for id: String in cast.personas:
		var who: CallsheetPersona = cast.personas[id]
		specs.append({
			"npc": id,
			"name": who.display_name,
			"persona": who.text,
			"archetype": who.archetype if who.archetype else null,
			"sociability": who.sociability,
		})
	_print("read: ", {
		"npcs": cast.npcs, "lore": cast.lore, "lorebook": cast.lorebook,
		"lorebook_budget_tokens": cast.lorebook_budget_tokens, "ids": cast.ids, "specs": specs,
	})
	await _play(cast)
	print("PASSED")


func _play(cast: CallsheetCast) -> void:
	var client := CallsheetClient.new()
	client.settings = CallsheetSettings.new()
	client.settings.server_url = OS.get_cmdline_user_args()[0]
	add_child(client)
	client.session.received.connect(_on_received)
	for id: String in cast.personas:
		var npc := CallsheetNpc.new()
		npc.npc_id = id
		npc.persona = cast.personas[id]
		var body := Node2D.new()
		body.add_child(npc)
		add_child(body)
	for id: String in cast.personas:
		while not client.world.find_npc(id).is_spawned():
			await get_tree().process_frame
	while client.session.open_requests() > 0:
		await get_tree().process_frame
	for id: String in cast.personas:
		var asked := CallsheetAnswer.new()
		client.session.request({"type": "get_facts", "npc": id}, asked)
		_print("facts: ", (await asked.finished()).result.facts)


func _on_received(message: Dictionary) -> void:
	if message.type == "error":
		print("FAILED ", message)


## One line of ASCII: a browser's console may not keep other texts as they are.
func _print(what: String, value: Variant) -> void:
	print(what, Marshalls.utf8_to_base64(_writer.write(value)))
