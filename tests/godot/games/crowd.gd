extends Node
## A crowd of 1,000 that moves at 60 Hz, of whom some talk and one acts; a save; a server that dies.
##
## What an NPC says is what it knows: the test's model tells it. Started with the server's URL.

const NPCS := 1000
const TALKERS := 20
const TICKS := 240
const QUESTION := "What do you know?"


## The body of the gatekeeper.
class Gate:
	extends Node2D

	var opened: Array[String] = []

	func callsheet_actions() -> Dictionary:
		return {"open_gate": {"description": "Opens a gate of the town.", "gate": ["north", "south"]}}

	func open_gate(gate: String) -> bool:
		await get_tree().create_timer(0.1).timeout
		opened.append(gate)
		return true


var _client: CallsheetClient
var _gate: Gate
var _bodies: Array[Node2D] = []
var _npcs: Array[CallsheetNpc] = []
var _walked_s := 0.0


func _ready() -> void:
	RenderingServer.render_loop_enabled = false  # nobody looks
	var settings := CallsheetSettings.new()
	settings.server_url = OS.get_cmdline_user_args()[0]
	settings.world = "crowd"
	settings.ticks_per_s = 60.0
	_client = CallsheetClient.new()
	_client.settings = settings
	add_child(_client)
	var player := Node2D.new()
	player.name = "Ann"
	player.add_child(CallsheetPlayer.new())
	add_child(player)
	for number in NPCS:
		_add_npc(number)
	await _until(func() -> bool: return _npcs.all(func(npc: CallsheetNpc) -> bool: return npc.mover.is_spawned()))
	print("SPAWNED ", NPCS)
	await _tick()
	await _talk()
	await _save()
	await _lose_the_server()
	print("PASSED")


func _process(delta: float) -> void:
	_walked_s += delta
	for index in _bodies.size():
		_bodies[index].position.x = 10.0 * index + 20.0 * sin(_walked_s + index)


func _add_npc(number: int) -> void:
	var body: Node2D = Gate.new() if number == 0 else Node2D.new()
	body.name = "Keeper" if number == 0 else "Npc %d" % number
	var npc := CallsheetNpc.new()
	npc.persona = CallsheetPersona.new()
	npc.persona.text = "You are number %d." % number
	body.add_child(npc)
	add_child(body)
	_bodies.append(body)
	_npcs.append(npc)
	if number == 0:
		_gate = body


func _tick() -> void:
	var start_s := Time.get_ticks_msec() / 1e3
	var first: int = _client.world.ticks_sent
	await _until(func() -> bool: return _client.world.ticks_sent >= first + TICKS)
	var took_s := Time.get_ticks_msec() / 1e3 - start_s
	print("TICKED %.1f" % (TICKS / took_s))


func _talk() -> void:
	for number in range(1, TALKERS):
		_npcs[number].say("fact-%d" % number)
	await _ask("told", _npcs[0], "fact-1")
	await _ask("acted", _npcs[0], "Please open the north gate.")
	await _until(func() -> bool: return _gate.opened == (["north"] as Array[String]))
	await _ask("outcome", _npcs[0], QUESTION)
	remove_child(_gate)
	await get_tree().process_frame
	add_child(_gate)
	await _ask("back", _npcs[0], QUESTION)


func _save() -> void:
	var saved := await _client.save_as("evening")
	print("saved: ", saved.error)
	await _ask("secret", _npcs[0], "fact-2")
	await _ask("known", _npcs[0], QUESTION)
	var loaded := await _client.load_save("evening")
	print("loaded: ", loaded.error)
	await _ask("unknown", _npcs[0], QUESTION)


## The server is killed while one reply runs; another line is said while it is away.
func _lose_the_server() -> void:
	await _ask("last", _npcs[0], "fact-3")
	var cut := _npcs[0].begin_reply("Speak slowly.")
	await cut.text_added
	print("SPEAKING")
	await _client.disconnected
	var ended := [0]
	cut.completed.connect(func() -> void: ended[0] += 1)
	var waiting := _npcs[1].begin_reply("fact-100")
	await waiting.finished()
	await _until(cut.is_complete)
	print("cut: ", cut.error.code, " ", ended[0])
	print("away: ", waiting.text)
	await _ask("after", _npcs[0], QUESTION)
	for number in range(1, TALKERS):
		await _ask("talker %d" % number, _npcs[number], QUESTION)


func _ask(what: String, npc: CallsheetNpc, text: String) -> void:
	var reply := await npc.say(text)
	print(what, ": ", reply.error if reply.error else reply.text)


func _until(condition: Callable) -> void:
	while not condition.call():
		await get_tree().process_frame
