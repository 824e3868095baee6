extends Checks
## Inspector of the editor: warnings of nodes that are set up wrongly, hints of what they export.


func test_an_npc_warns_of_a_body_that_is_nowhere_and_of_nobody() -> void:
	var npc := CallsheetNpc.new()
	for body: Node in [Node2D.new(), Node3D.new(), Node.new()]:
		body.add_child(npc)
		equal(npc._get_configuration_warnings().size(), 1 if body is Node2D or body is Node3D else 2)
		body.remove_child(npc)
		body.free()
	check("child of a Node2D or Node3D" in npc._get_configuration_warnings()[0], "the parent")
	npc.persona = CallsheetPersona.new()
	check("give it a persona with a text" in npc._get_configuration_warnings()[1], "an empty persona")
	npc.persona.text = "You are Bram."
	equal(npc._get_configuration_warnings().size(), 1)
	npc.free()


func test_a_player_warns_of_a_body_that_is_nowhere() -> void:
	var player := CallsheetPlayer.new()
	check("child of a Node2D or Node3D" in player._get_configuration_warnings()[0], "the parent")
	var body := Node3D.new()
	body.add_child(player)
	equal(player._get_configuration_warnings(), PackedStringArray())
	body.free()


func test_numbers_have_their_range_and_resources_their_class() -> void:
	equal(_hints(CallsheetNpc.new()), {
		"npc_id": "",
		"persona": "CallsheetPersona",
		"interaction_radius_m": "0.0,100.0,0.1,or_greater",
		"audible_m": "0.0,1000.0,0.1,or_greater",
		"schedule": "24/17:CallsheetSchedule",
		"active": "",
	})
	equal(_hints(CallsheetPlayer.new()), {
		"player_id": "",
		"display_name": "",
		"audible_m": "0.0,1000.0,0.1,or_greater",
	})
	equal(_hints(CallsheetClient.new()), {"settings": "CallsheetSettings"})


func test_hints_of_resources() -> void:
	var persona := _properties(CallsheetPersona.new())
	equal(persona.text.hint, PROPERTY_HINT_MULTILINE_TEXT)
	equal(persona.sociability.hint_string, "0.0,1.0")
	var settings := _properties(CallsheetSettings.new())
	equal(settings.lore.hint, PROPERTY_HINT_MULTILINE_TEXT)
	for property: String in ["player_max_speed_mps", "npc_max_speed_mps", "pixels_per_m", "ticks_per_s", "max_npcs_per_tick", "max_messages_per_frame"]:
		equal(settings[property].hint, PROPERTY_HINT_RANGE, property)
	for property: Dictionary in _properties(CallsheetSchedule.new()).values():
		equal(property.hint, PROPERTY_HINT_RANGE, property.name)


## What the inspector shows of a node -> its hint.
func _hints(node: Node) -> Dictionary:
	var hints := {}
	for property: Dictionary in _properties(node).values():
		hints[property.name] = property.hint_string
	node.free()
	return hints


func _properties(of: Object) -> Dictionary:
	var shown := {}
	for property: Dictionary in of.get_property_list():
		if property.usage & PROPERTY_USAGE_SCRIPT_VARIABLE and property.usage & PROPERTY_USAGE_EDITOR:
			shown[property.name] = property
	return shown
