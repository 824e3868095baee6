extends Node
## A game without a server: it goes on, and what is said fails at once.


func _ready() -> void:
	RenderingServer.render_loop_enabled = false  # nobody looks
	var settings := CallsheetSettings.new()
	settings.server_url = OS.get_cmdline_user_args()[0]
	var client := CallsheetClient.new()
	client.settings = settings
	add_child(client)
	var body := Node2D.new()
	var npc := CallsheetNpc.new()
	body.add_child(npc)
	add_child(body)
	while client.session.failures_in_a_row < 3:
		await get_tree().process_frame
	print("TRIED 3")
	var reply := await npc.say("Is anybody there?")
	print("say: ", reply.error.code)
	print("PASSED")
