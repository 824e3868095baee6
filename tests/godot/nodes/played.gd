extends Checks
## Nodes in a scene whose frames, clock and server the test plays: signals, forgetting, lost connections.

const Rig := preload("res://core/rig.gd")
const Session := preload("res://addons/callsheet/core/client/session.gd")

var _rig: Rig
var _client: CallsheetClient
var _npc: CallsheetNpc
var _told: Array = []


func test_sentences_and_text_of_a_reply_are_signalled() -> void:
	await _begin()
	_npc.reply_started.connect(func(reply: CallsheetReply) -> void: _told.append(reply.heard))
	_npc.text_changed.connect(_told.append)
	_npc.sentence_ended.connect(func(sentence: String) -> void: _told.append([sentence]))
	_npc.reply_completed.connect(func(reply: CallsheetReply) -> void: _told.append(reply.text))
	var reply := _npc.begin_reply("Hello!")
	await _speak(1)
	equal(_told, ["Hello!", "Good ", "Good day.", ["Good day."], "Good day. Bread", "Good day. Bread?", ["Bread?"], "Good day. Bread?"])
	equal((await reply.finished()).text, "Good day. Bread?")
	check(_npc.last_reply == reply, "it is not the last reply")
	_end()


func test_state_is_signalled_and_tier_when_it_changes() -> void:
	var settings := CallsheetSettings.new()
	settings.show_npc_states = true
	await _begin(settings)
	check("subscribe" in _rig.sent_types(), "no states are asked for")
	_npc.state_changed.connect(func(state: Dictionary) -> void: _told.append(state.distance_s))
	_npc.tier_changed.connect(_told.append)
	for told: Array in [[9.0, "disk"], [6.0, "disk"], [0.5, "device"]]:
		var state := {"npc": "Bram", "handle": 1, "position": [0.0, 0.0, 0.0], "distance_s": told[0], "tier": told[1]}
		_rig.say({"type": "npc_states", "game_time_s": 1.0, "part": 0, "parts": 1, "npcs": [state]})
	await _frame()
	equal(_told, [9.0, "disk", 6.0, 0.5, "device"])
	_end()


func test_a_node_forgets_and_waits_for_the_answer() -> void:
	await _begin()
	_forget(NAN)
	_forget(60.0)
	await _frame()
	var all := _rig.next("forget")
	equal([all.npcs, all.has("after_s")], [["Bram"], false])
	var later := _rig.next("forget")
	equal([later.npcs, later.after_s], [["Bram"], 60.0])
	equal(_told, [])
	_rig.tell({"type": "ok", "id": all.id})
	_rig.tell({"type": "error", "id": later.id, "code": "storage_failed", "message": "the disk is full"})
	await _frame()
	equal(_told, ["", "storage_failed"])
	_end()


func test_heartbeat_follows_the_clock_it_is_given() -> void:
	await _begin()
	_client.disconnected.connect(_told.append.bind("disconnected"))
	_rig.next("ping")
	await _frame(4.0)
	check(_rig.next("ping").is_empty(), "a ping before the interval is over")
	await _frame(1.1)
	var ping := _rig.next("ping")
	check(not ping.is_empty(), "no ping after five seconds")
	_rig.say({"type": "pong", "client_time_s": ping.client_time_s, "server_time_s": 500.0})
	await _frame()
	check(_client.is_connected_to_server(), "the pong came")
	for second in 16:
		await _frame(1.0)
	equal(_told, ["disconnected"])
	await _frame(0.2)
	equal(_rig.connections.size(), 2, "connections after three silent heartbeats")
	_end()


func test_a_lost_connection_is_resumed_and_the_reply_goes_on() -> void:
	await _begin()
	_client.connected.connect(_told.append.bind("connected"))
	_client.disconnected.connect(_told.append.bind("disconnected"))
	var reply := _npc.begin_reply("Hello!")
	await _frame()
	var say := _rig.next("say")
	_rig.tell({"type": "reply_start", "id": say.id, "reply": 1, "npc": "Bram", "speaker": {"kind": "narrator"}, "heard": "Hello!"})
	await _frame()
	var seq := _rig.last_seq
	_rig.line().drop()
	await _frame()
	equal(_told, ["disconnected"])
	equal(_client.session.state, Session.State.WAITING)
	equal(_rig.connections.size(), 1, "connections before the wait is over")
	var hello := await _open(true, say.id)
	equal([hello.resume.session, hello.resume.last_seq], ["s1", seq])
	equal(_told, ["disconnected", "connected"])
	check(_rig.next("spawn").is_empty(), "a resumed session is told the NPC again")
	_rig.tell(_reply_end(say.id, "Good day."))
	await _frame()
	equal([reply.error, reply.text], [null, "Good day."])
	_end()


func test_facts_are_noted_but_for_those_that_a_script_has_noted() -> void:
	var persona := CallsheetPersona.new()
	persona.facts = {"race": "human", "faction": "guild", "age": 40}
	await _begin(CallsheetSettings.new(), true, persona)
	var asked := _rig.next("get_facts")
	equal(asked.npc, "Bram")
	_rig.tell({"type": "facts", "id": asked.id, "npc": "Bram", "facts": {"faction": "thieves", "met": ["Ann"]}})
	await _frame()
	equal(_rig.next("set_facts").facts, {"race": "human", "age": 40})
	_end()
	await _begin()
	check("get_facts" not in _rig.sent_types(), "nobody has facts, and they are asked for")
	_end()


func test_facts_that_cannot_be_json_keep_nobody_out() -> void:
	var persona := CallsheetPersona.new()
	persona.facts = {"body": Vector3.ZERO}
	await _begin(CallsheetSettings.new(), true, persona)
	check("get_facts" not in _rig.sent_types(), "facts are told that are no JSON")
	_end()


func test_a_new_session_is_told_the_npc_again_and_open_replies_fail() -> void:
	await _begin()
	var reply := _npc.begin_reply("Hello!")
	await _frame()
	_rig.line().drop()
	await _frame()
	await _open()
	equal(reply.error.code, "session_lost")
	equal(_rig.next("spawn").npcs[0].npc, "Bram")
	_end()


func test_a_server_that_is_not_there_is_asked_less_and_less_often() -> void:
	await _begin(CallsheetSettings.new(), false)
	var waits_s: Array[float] = []
	for attempt in 8:
		while _client.session.state == Session.State.WAITING:
			await _frame(maxf(0.02, _client.session.next_attempt_s - _rig.now_s))
		_rig.line().drop()
		await _frame()
		waits_s.append(_client.session.next_attempt_s - _rig.now_s)
	check(waits_s[0] <= 0.1 and waits_s[7] > 2.0 and waits_s.max() <= 5.0, "the waits are %s" % [waits_s])
	equal(_rig.errors.size(), 1, "errors of one outage")
	await _open()
	check(_client.is_connected_to_server(), "it came back")
	_end()


## Enter a scene with an NPC; the server takes both.
func _begin(
	settings := CallsheetSettings.new(), opens := true, persona := CallsheetPersona.new()
) -> void:
	_told = []
	_rig = Rig.new()
	CallsheetClient.make_transport = _rig.new_connection
	CallsheetClient.real_time_s = func() -> float: return _rig.now_s
	_client = CallsheetClient.new()
	_client.settings = settings
	add_child(_client)
	_rig.session = _client.session
	_client.error_raised.connect(_rig.errors.append)
	_npc = CallsheetNpc.new()
	_npc.persona = persona
	_npc.persona.text = "You are Bram."
	var body := Node2D.new()
	body.name = "Bram"
	body.add_child(_npc)
	_client.add_child(body)
	if opens:
		await _open()
		var spawn := _rig.next("spawn")
		_rig.tell({"type": "spawned", "id": spawn.id, "npcs": [{"npc": "Bram", "handle": 1}], "players": []})
		await _frame()
		check(_npc.mover.is_spawned(), "it is not in the world")


func _end() -> void:
	_client.free()


func _open(resumed := false, last_request_id := 0) -> Dictionary:
	while _client.session.state != Session.State.CONNECTING:
		await _frame(0.5)
	_rig.line().accept()
	await _frame()
	var hello := _rig.next("hello")
	_rig.welcome(resumed, last_request_id)
	await _frame()
	return hello


## Let the engine process a frame, at a later time.
func _frame(by_s := 0.02) -> void:
	_rig.now_s += by_s
	await get_tree().process_frame
	await get_tree().process_frame


func _forget(after_s: float) -> void:
	var answer := await _npc.forget(after_s)
	_told.append(answer.error.code if answer.error else "")


func _speak(number: int) -> void:
	await _frame()
	var id: int = _rig.next("say").id
	_rig.tell({"type": "reply_start", "id": id, "reply": number, "npc": "Bram", "speaker": {"kind": "narrator"}, "heard": "Hello!"})
	for told: Array in [["Good ", false], ["day.", true], [" Bread", false], ["?", false]]:
		_rig.tell({"type": "reply_delta", "id": id, "reply": number, "text": told[0], "ends_sentence": told[1]})
	_rig.tell(_reply_end(id, "Good day. Bread?"))
	await _frame()


static func _reply_end(id: int, text: String) -> Dictionary:
	return {"type": "reply_end", "id": id, "reply": 1, "npc": "Bram", "text": text, "finish_reason": "stop"}
