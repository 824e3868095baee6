extends Checks
## NPCs, players and what they say, kept the same on a server that the test plays.

const Mover := preload("res://addons/callsheet/core/world/mover.gd")
const Npc := preload("res://addons/callsheet/core/world/npc.gd")
const Rig := preload("res://core/rig.gd")
const World := preload("res://addons/callsheet/core/world/world.gd")
const WorldOptions := preload("res://addons/callsheet/core/world/world_options.gd")
const Presence := Mover.Presence

const BOB := { "npc": "bob", "name": "Bob", "persona": "You are Bob, a baker." }
const EVE := { "npc": "eve", "name": "Eve", "knowledge": ["The mill is shut."] }
const ANN := { "player": "ann", "name": "Ann" }

var rig: Rig
var world: World
var options: WorldOptions


func test_npcs_and_players_are_spawned_and_get_handles() -> void:
	_open()
	var bob := world.add_npc(BOB)
	var ann := world.add_player(ANN)
	bob.set_motion(Vector3(1.0, 0.1, 2.5), Vector3.ZERO)
	_step()
	var spawn := rig.next("spawn")
	equal(spawn.npcs[0].position, [1.0, 0.1, 2.5])
	equal(spawn.players[0].name, "Ann")
	check(not bob.is_spawned(), "spawned before the answer")
	_spawned(spawn)
	check(bob.is_spawned() and ann.is_spawned(), "both are spawned")
	equal(bob.handle, 10)
	check(world.find_npc("bob") == bob, "Bob is found")


func test_many_are_spawned_over_several_frames_and_in_one_before_they_are_spoken_to() -> void:
	_open()
	for i in 150:
		world.add_npc({ "npc": "n%d" % i, "name": "N" })
	_step()
	equal(rig.next("spawn").npcs.size(), 64)
	world.say(world.find_npc("n149"), "Hello!")
	_step()
	equal(rig.next("spawn").npcs.size(), 64)
	equal(rig.next("spawn").npcs.size(), 22)
	equal(rig.next("say").npc, "n149")


func test_a_spec_that_breaks_a_rule_is_refused_at_once() -> void:
	_open()
	var bob := world.add_npc({ "npc": "bob", "name": "" })
	equal(bob.refusal.code, "bad_message")
	equal(bob.refusal.field, "name")
	equal(world.npcs.size(), 0)
	world.add_npc(EVE)
	equal(world.add_npc(EVE).refusal.code, "duplicate_npc")


func test_who_is_to_blame_is_refused_and_the_others_are_sent_again() -> void:
	_open()
	var bob := world.add_npc(BOB)
	var eve := world.add_npc(EVE)
	var reply := world.say(eve, "Hello!")
	_step()
	rig.tell({
		"type": "error", "id": 1, "code": "unknown_adapter", "message": "no such adapter",
		"field": "npcs.0.adapter",
	})
	rig.tell({ "type": "error", "id": 2, "code": "unknown_npc", "message": "no eve" })
	_step()
	equal(bob.presence, Presence.REFUSED)
	equal(bob.refusal.field, "adapter")
	equal(eve.presence, Presence.UNDER_WAY)
	check(not reply.is_complete(), "the line to Eve waits for her")
	rig.next("spawn")
	equal(rig.next("spawn").npcs.size(), 1)
	equal(rig.next("say").npc, "eve")
	equal(world.say(bob, "Hello!").error.code, "unknown_adapter")


func test_removed_ones_are_despawned_and_ids_are_used_once_at_a_time() -> void:
	_open()
	var bob := world.add_npc(BOB)
	_step()
	var spawn := rig.next("spawn")
	world.remove(bob)
	var other := world.add_npc(BOB)
	_step()
	check(rig.next("spawn").is_empty(), "the id is used twice at once")
	_spawned(spawn)
	_step()
	equal(rig.next("despawn").npcs, ["bob"])
	equal(rig.next("spawn").npcs[0].npc, "bob")
	equal(bob.presence, Presence.REMOVED)
	equal(other.presence, Presence.UNDER_WAY)


func test_a_new_session_is_told_everything_again() -> void:
	options = WorldOptions.new()
	options.lore = "A town."
	options.topics = ["npcs"]
	_open()
	var bob := _bob()
	world.set_flag("open")
	rig.line().drop()
	rig.step()
	rig.open(false)
	_step()
	var configure := rig.next("configure_world")
	equal(configure.lore, "A town.")
	equal(configure.flags, ["open"])
	equal(rig.next("subscribe").topics, ["npcs"])
	equal(rig.next("spawn").npcs[0].npc, "bob")
	equal(bob.presence, Presence.UNDER_WAY)


func test_reply_streams_text_and_sentences() -> void:
	_open()
	var bob := _bob()
	var ann := world.add_player(ANN)
	var heard: Array[String] = []
	var sentences: Array[String] = []
	var ended := []
	bob.text_added.connect(func(_reply: CallsheetReply, text: String) -> void: heard.append(text))
	bob.sentence_ended.connect(func(_reply: CallsheetReply, text: String) -> void: sentences.append(text))
	bob.reply_completed.connect(ended.append)
	var reply := world.say(bob, "Hello!", ann, { "audible_m": 5 })
	_step()
	var say := rig.next("say")
	equal(say.speaker, { "kind": "player", "id": "ann" })
	equal(say.audible_m, 5.0)
	_start(say.id)
	rig.tell({ "type": "reply_delta", "id": say.id, "reply": 1, "text": "Good " })
	rig.tell({ "type": "reply_delta", "id": say.id, "reply": 1, "text": "day. ", "ends_sentence": true })
	rig.tell({ "type": "reply_delta", "id": say.id, "reply": 1, "text": "Bread?" })
	_step()
	equal(reply.state, CallsheetReply.State.SPEAKING)
	equal(reply.text, "Good day. Bread?")
	rig.tell(_end(say.id, "Good day. Bread?"))
	_step()
	equal(reply.state, CallsheetReply.State.ENDED)
	equal(heard, ["Good ", "day. ", "Bread?"] as Array[String])
	equal(sentences, ["Good day.", "Bread?"] as Array[String])
	check(ended == [reply], "the end is told")


func test_reply_can_be_awaited() -> void:
	_open()
	var reply := world.say(_bob(), "Hello!")
	_step()
	_answer_later.call_deferred(rig.next("say").id)
	equal((await reply.finished()).text, "Good day.")
	equal((await reply.finished()).text, "Good day.")


func test_only_the_end_comes_after_a_restart_of_the_server() -> void:
	_open()
	var reply := world.say(_bob(), "Hello!")
	var sentences: Array[String] = []
	reply.sentence_ended.connect(sentences.append)
	_step()
	rig.tell(_end(rig.next("say").id, "Good day."))
	_step()
	equal(reply.text, "Good day.")
	equal(sentences, ["Good day."] as Array[String])


func test_reply_that_fails_says_why() -> void:
	_open()
	var reply := world.say(_bob(), "Hello!")
	_step()
	var end := _end(rig.next("say").id, "")
	end.merge({ "finish_reason": "error", "code": "engine_unavailable" }, true)
	rig.tell(end)
	_step()
	equal(reply.state, CallsheetReply.State.FAILED)
	equal(reply.error.code, "engine_unavailable")


func test_cancel_before_and_after_a_line_is_sent() -> void:
	_open()
	var bob := _bob()
	var unsent := world.say(bob, "Hello!")
	unsent.cancel()
	equal(unsent.end.finish_reason, "cancelled")
	var sent := world.say(bob, "Hello!")
	_step()
	sent.cancel()
	sent.cancel()
	_step()
	equal(rig.next("cancel").id, 2)
	check(rig.next("cancel").is_empty(), "cancelled twice")


func test_one_line_to_several_is_answered_in_turn() -> void:
	_open()
	var bob := _bob()
	var eve := world.add_npc(EVE)
	_step()
	_spawned(rig.next("spawn"))
	var replies := world.say_to_all([bob, eve], "Who has bread?")
	_step()
	var say := rig.next("say")
	equal(say.npcs, ["bob", "eve"])
	_start(say.id, "bob", 1)
	var first := _end(say.id, "I have.")
	first.more = true
	rig.tell(first)
	_start(say.id, "eve", 2)
	var last := _end(say.id, "I have none.")
	last.merge({ "npc": "eve", "reply": 2 }, true)
	rig.tell(last)
	_step()
	equal(replies[0].text, "I have.")
	equal(replies[1].text, "I have none.")
	equal(rig.session.open_requests(), 0)


func test_replies_that_others_asked_for_are_shown_too() -> void:
	_open()
	var bob := _bob()
	var begun: Array[CallsheetReply] = []
	bob.reply_started.connect(begun.append)
	_start(0)
	rig.tell(_end(0, "Psst."))
	_step()
	equal(begun.size(), 1)
	equal(begun[0].text, "Psst.")
	check(not begun[0].is_own, "somebody else asked")


func test_an_action_is_carried_out_and_answered_once() -> void:
	_open()
	var bob := _bob()
	var acted: Array[CallsheetAction] = []
	bob.acted.connect(acted.append)
	world.say(bob, "Open the door!")
	_step()
	_act(rig.next("say").id)
	_step()
	equal(acted[0].name, "open")
	equal(acted[0].arguments, { "door": 3, "wide": 0.5 })
	check(acted[0].complete(true, "It creaks."), "the result is told")
	check(not acted[0].complete(false), "and only once")
	_step()
	equal(rig.next("action_result"), { "type": "action_result", "action": 7, "ok": true, "message": "It creaks." })


func test_an_action_that_nobody_handles_is_answered() -> void:
	_open()
	world.say(_bob(), "Open the door!")
	_step()
	_act(rig.next("say").id)
	_step()
	equal(rig.next("action_result").ok, false)


func test_saves_forgetting_hearing_and_lore() -> void:
	_open()
	var bob := _bob()
	var answers: Array[CallsheetAnswer] = [
		world.save_as("dawn"), world.list_saves(), world.delete_save("dusk"), world.forget("bob", 3.0),
		world.forget_everything(), world.hear([bob], "Thunder."), world.explain(bob),
		world.update(bob, { "persona": "You are tired." }),
	]
	var lore_error := world.set_lore([{ "text": "The mill burns.", "flag": "fire" }])
	check(lore_error == null, str(lore_error))
	equal(world.set_flag("no spaces").field, "flags.0")
	_step()
	var types := rig.sent_types()
	for type: String in ["save", "list_saves", "delete_save", "forget", "hear", "explain", "update_npc", "configure_world"]:
		check(type in types, "%s was not sent" % type)
	rig.tell({ "type": "saved", "id": 2, "name": "dawn", "time_s": 5.0 })
	_step()
	equal((await answers[0].finished()).result.time_s, 5.0)
	equal(bob.spec.persona, "You are tired.")


func test_loading_a_save_holds_ticks_back_and_sets_the_clock() -> void:
	_open()
	_bob()
	_step()
	var loaded: Array[float] = []
	world.loaded.connect(loaded.append)
	var answer := world.load_save("dawn")
	var before := world.ticks_sent
	_step()
	_step()
	equal(world.ticks_sent, before)
	rig.tell({ "type": "loaded", "id": 2, "name": "dawn", "time_s": 5.0 })
	_step()
	equal(loaded, [5.0] as Array[float])
	check(answer.is_complete and world.ticks_sent > before, "ticks go on")


func test_states_of_npcs_are_shown() -> void:
	_open()
	var bob := _bob()
	var states := []
	bob.state_changed.connect(states.append)
	rig.say({
		"type": "npc_states", "game_time_s": 1.0, "part": 0, "parts": 1, "players": [],
		"npcs": [{ "npc": "bob", "handle": 10, "position": [0, 0, 0], "tier": "device", "distance_s": 2 }],
	})
	_step()
	equal(bob.last_state.tier, "device")
	equal(states.size(), 1)


func test_an_older_server_is_not_told_what_it_does_not_know() -> void:
	_open("1.2")
	var eve := world.add_npc(EVE)
	world.say(eve, "Hello!", null, { "audible_m": 5.0 })
	_step()
	check(not rig.next("spawn").npcs[0].has("knowledge"), "knowledge")
	check(not rig.next("say").has("audible_m"), "audible_m")


func test_nothing_leaks() -> void:
	_open()
	var kept := weakref(world)
	var session := weakref(rig.session)
	var npc := weakref(_bob())
	world.say(npc.get_ref(), "Hello!")
	_step()
	rig.session.abort()
	world = null
	rig.session = null
	check(kept.get_ref() == null, "the world is kept")
	check(npc.get_ref() == null, "the NPC is kept")
	check(session.get_ref() == null, "the session is kept")


func _open(protocol := "1.4") -> void:
	rig = Rig.new()
	rig.server_protocol = protocol
	world = World.new(rig.session, options if options else WorldOptions.new())
	options = null
	rig.open()


func _bob() -> Npc:
	var bob := world.add_npc(BOB)
	bob.set_motion(Vector3.ONE, Vector3.ZERO)
	_step()
	_spawned(rig.next("spawn"))
	return bob


func _step() -> void:
	rig.step(0.1)
	world.tick(rig.now_s, rig.now_s)
	rig.step(0.0)


func _spawned(spawn: Dictionary) -> void:
	var answer := { "type": "spawned", "id": spawn.id, "npcs": [], "players": [] }
	for i: int in spawn.npcs.size():
		answer.npcs.append({ "npc": spawn.npcs[i].npc, "handle": 10 + i })
	for i: int in spawn.players.size():
		answer.players.append({ "player": spawn.players[i].player, "handle": 1 + i })
	rig.tell(answer)
	rig.step(0.0)


func _of(id: int, message: Dictionary) -> Dictionary:
	if id > 0:
		message.id = id
	return message


func _start(id: int, npc := "bob", reply := 1) -> void:
	var speaker := { "kind": "narrator" }
	rig.tell(_of(id, { "type": "reply_start", "reply": reply, "npc": npc, "heard": "Hello!", "speaker": speaker }))


func _end(id: int, text: String) -> Dictionary:
	return _of(id, { "type": "reply_end", "reply": 1, "npc": "bob", "text": text, "finish_reason": "stop" })


func _act(id: int) -> void:
	_start(id)
	var arguments := { "door": 3, "wide": 0.5 }
	rig.tell(_of(id, {
		"type": "action", "reply": 1, "action": 7, "npc": "bob", "name": "open", "arguments": arguments,
	}))


func _answer_later(id: int) -> void:
	_start(id)
	rig.tell(_end(id, "Good day."))
	_step()
