extends Checks
## The session machine with a socket and a clock that the test holds.

const CallsheetSession := preload("res://addons/callsheet/core/client/session.gd")
const RequestHandler := preload("res://addons/callsheet/core/client/request_handler.gd")
const Rig := preload("res://core/rig.gd")
const State := CallsheetSession.State


class Told:
	extends RequestHandler

	var ids: Array[int] = []
	var messages: Array[Dictionary] = []
	var errors: Array[CallsheetError] = []

	func on_sent(id: int) -> void:
		ids.append(id)

	func on_message(message: Dictionary) -> void:
		messages.append(message)

	func on_failed(error: CallsheetError) -> void:
		errors.append(error)


func test_hello_and_welcome_open_a_session() -> void:
	var rig := Rig.new()
	rig.options.token = "secret"
	var hello := rig.open()
	equal(hello.protocol, "1.4")
	equal(hello.role, "game")
	equal(hello.token, "secret")
	check(not hello.has("resume"), "a first hello resumes nothing")
	equal(rig.session.state, State.OPEN)
	equal(rig.states, [State.WAITING, State.CONNECTING, State.GREETING, State.OPEN] as Array[int])
	equal(rig.welcomes.size(), 1)


func test_requests_are_numbered_and_answered() -> void:
	var rig := Rig.new()
	rig.open()
	var first := Told.new()
	var second := Told.new()
	rig.session.request({ "type": "list_saves" }, first)
	rig.session.request({ "type": "save", "name": "dawn" }, second)
	rig.step()
	equal(rig.next("list_saves").id, 1)
	equal(rig.next("save").id, 2)
	equal(rig.session.open_requests(), 2)
	rig.tell({ "type": "saved", "id": 2, "name": "dawn", "time_s": 3.0 })
	rig.tell({ "type": "error", "id": 1, "code": "storage_failed", "message": "full" })
	rig.step()
	equal(second.messages[0].name, "dawn")
	equal(first.errors[0].code, "storage_failed")
	equal(first.errors[0].kind, "engine")
	equal(rig.session.open_requests(), 0)


func test_what_breaks_a_rule_is_not_sent() -> void:
	var rig := Rig.new()
	rig.open()
	var told := Told.new()
	var error := rig.session.request({ "type": "save", "name": "" }, told)
	equal(error.code, "bad_message")
	equal(error.field, "name")
	check(told.errors[0] == error, "the handler is told, too")
	equal(rig.session.request({ "type": "save", "nmae": "x", "name": "y" }).field, "nmae")
	check(not rig.session.send({ "type": "cancel", "id": 0 }), "cancel of request 0 was sent")
	rig.step()
	equal(rig.sent_types(), ["hello", "ping"] as Array[String])


func test_lost_connection_is_resumed_and_nothing_comes_twice() -> void:
	var rig := Rig.new()
	rig.open()
	var taken := Told.new()
	var not_taken := Told.new()
	rig.session.request({ "type": "list_saves" }, taken)
	rig.session.request({ "type": "save", "name": "dusk" }, not_taken)
	rig.tell({ "type": "ok", "id": 9 })
	rig.step()
	rig.line().drop()
	rig.step()
	equal(rig.session.state, State.WAITING)
	rig.session.send({ "type": "action_result", "action": 4, "ok": true })
	var hello := rig.open(true, 1)
	equal(hello.resume, { "session": "s1", "token": "token1", "last_seq": 1 })
	equal(rig.next("save").id, 2)
	equal(rig.next("action_result").action, 4)
	rig.say({ "type": "ok", "seq": 1, "id": 9 })
	rig.tell({ "type": "saves", "id": 1, "saves": [] })
	rig.tell({ "type": "saved", "id": 2, "name": "dusk", "time_s": 3.0 })
	rig.step()
	equal(rig.received.size(), 3, "messages handed out")
	equal(taken.messages.size(), 1)
	equal(not_taken.messages.size(), 1)
	equal(not_taken.ids, [2] as Array[int])


func test_session_that_is_gone_fails_what_was_open() -> void:
	var rig := Rig.new()
	rig.open()
	var told := Told.new()
	var waiting := Told.new()
	rig.session.request({ "type": "list_saves" }, told)
	rig.step()
	rig.line().drop()
	rig.step()
	rig.session.request({ "type": "list_saves" }, waiting)
	rig.open(false)
	equal(told.errors[0].code, "session_lost")
	equal(waiting.errors.size(), 0)
	rig.step()
	equal(rig.next("list_saves").id, 2)


func test_hole_in_the_messages_is_resumed_once_and_then_given_up() -> void:
	var rig := Rig.new()
	rig.open()
	rig.say({ "type": "ok", "seq": 2, "id": 9 })
	rig.step()
	equal(rig.session.state, State.WAITING)
	check(rig.line().was_aborted, "the connection with the hole is dropped")
	check(rig.open(true).has("resume"), "the first hole is resumed")
	rig.say({ "type": "ok", "seq": 2, "id": 9 })
	rig.step()
	check(not rig.open().has("resume"), "the second hole ends the session")


func test_acks_every_second_and_every_32_messages() -> void:
	var rig := Rig.new()
	rig.open()
	rig.tell({ "type": "ok", "id": 9 })
	rig.step()
	check(rig.next("ack").is_empty(), "an ack after one message and no time")
	rig.step(1.0)
	equal(rig.next("ack").seq, 1)
	for i in 32:
		rig.tell({ "type": "ok", "id": 9 })
	rig.step()
	equal(rig.next("ack").seq, 33)


func test_heartbeat_pings_measures_and_gives_up() -> void:
	var rig := Rig.new()
	rig.open()
	var sent_s: float = rig.next("ping").client_time_s
	rig.now_s += 0.1
	rig.say({ "type": "pong", "client_time_s": sent_s, "server_time_s": 1000.0 })
	rig.step(0.0)
	check(absf(rig.session.round_trip_s() - (rig.now_s - sent_s)) < 1e-5, "the round trip")
	check(absf(rig.session.clock_offset_s() - (1000.0 - (rig.now_s + sent_s) / 2.0)) < 1e-5, "offset")
	for i in 14:
		rig.step(1.0)
	equal(rig.session.state, State.OPEN)
	for i in 3:
		rig.step(1.0)
	check(rig.states.has(State.WAITING), "given up after three silent intervals")


func test_time_in_which_nobody_looked_is_no_silence() -> void:
	var rig := Rig.new()
	rig.open()
	rig.step(3600.0)
	equal(rig.session.state, State.OPEN)


func test_backoff_doubles_and_is_told_once() -> void:
	var rig := Rig.new()
	rig.session.start()
	var waits: Array[float] = []
	for i in 8:
		rig.step(10.0)
		rig.line().drop(1006, "refused")
		rig.step()
		waits.append(rig.session.next_attempt_s - rig.now_s)
	for i in 8:
		var most := minf(0.1 * 2 ** i, 5.0)
		check(waits[i] >= most / 2 and waits[i] <= most, "wait %d is %s of %s" % [i, waits[i], most])
	equal(rig.errors.size(), 1, "errors raised")
	equal(rig.errors[0].code, "connection_failed")
	equal(rig.session.failures_in_a_row, 8)


func test_without_a_server_requests_fail_at_once() -> void:
	var rig := Rig.new()
	rig.session.start()
	rig.step()
	rig.line().drop()
	rig.step()
	var told := Told.new()
	rig.session.request({ "type": "list_saves" }, told)
	equal(told.errors[0].code, "connection_failed")


func test_connection_that_does_not_open_or_greet_is_given_up() -> void:
	var rig := Rig.new()
	rig.session.start()
	rig.step()
	rig.step(5.0)
	equal(rig.session.state, State.WAITING)
	rig.greeting()
	rig.step(5.0)
	equal(rig.session.state, State.WAITING)


func test_close_codes_decide_what_comes_next() -> void:
	# Code -> the state after it, and whether the next hello resumes.
	var rules := {
		1000: [State.FAILED, false], 1001: [State.WAITING, true], 1006: [State.WAITING, true],
		1009: [State.FAILED, false], 4000: [State.FAILED, false], 4001: [State.FAILED, false],
		4002: [State.FAILED, false], 4004: [State.WAITING, false], 4005: [State.FAILED, false],
		4006: [State.WAITING, true], 4007: [State.FAILED, false], 4008: [State.WAITING, false],
		4009: [State.FAILED, false], 4010: [State.WAITING, false], 4011: [State.WAITING, true],
	}
	for code: int in rules:
		var rig := Rig.new()
		rig.open()
		rig.line().drop(code)
		rig.step()
		equal(rig.session.state, rules[code][0], "state after %d" % code)
		if rig.session.state == State.WAITING:
			equal(rig.greeting().has("resume"), rules[code][1], "resume after %d" % code)


func test_an_error_before_the_close_is_the_reason() -> void:
	var rig := Rig.new()
	rig.greeting()
	rig.say({ "type": "error", "code": "world_taken", "message": "another game has the world" })
	rig.line().drop(4005, "world taken")
	rig.step()
	equal(rig.session.state, State.FAILED)
	equal(rig.errors.size(), 1)
	equal(rig.session.last_error.code, "world_taken")


func test_a_server_that_tells_of_its_engine_is_waited_for() -> void:
	var rig := Rig.new()
	rig.greeting()
	for i in 10:
		rig.say({ "type": "engine_progress", "phase": "download", "done_bytes": i, "total_bytes": 9 })
		rig.step(4.0)
		rig.step(0.02)
	equal(rig.session.state, State.GREETING)
	equal(rig.received.size(), 10)
	equal(rig.received[9].total_bytes, 9)


func test_draining_server_is_asked_again_when_it_wants() -> void:
	var rig := Rig.new()
	rig.open()
	rig.say({ "type": "draining", "deadline_s": 1.0, "reconnect_after_s": 30.0 })
	rig.step()
	rig.line().drop(4010)
	rig.step()
	check(rig.session.next_attempt_s - rig.now_s > 29.9, "the wait")


func test_versions_say_which_side_to_upgrade() -> void:
	for version: String in ["2.0", "0.9", "1.0", "1.9", "junk"]:
		var rig := Rig.new()
		rig.server_protocol = version
		rig.open()
		var is_same_major := version.begins_with("1.")
		equal(rig.session.state, State.OPEN if is_same_major else State.FAILED, version)
		if not is_same_major:
			equal(rig.session.last_error.code, "version_mismatch")
			var side := "server" if version == "0.9" else "Godot addon"
			check(rig.session.last_error.message.contains("upgrade the %s" % side), version)
		equal(rig.warnings.size(), 1 if version == "1.0" else 0, "warnings of %s" % version)


func test_stop_says_goodbye() -> void:
	var rig := Rig.new()
	rig.open()
	var told := Told.new()
	rig.session.request({ "type": "list_saves" }, told)
	rig.session.stop()
	check(not rig.next("bye").is_empty(), "bye was sent")
	equal(told.errors[0].code, "session_lost")
	rig.step()
	equal(rig.line().closed_with, 1000)
	rig.line().drop(1000)
	rig.step()
	equal(rig.session.state, State.STOPPED)


func test_stop_does_not_wait_for_what_nobody_reads() -> void:
	var rig := Rig.new()
	rig.open()
	rig.session.stop()
	rig.tell({ "type": "ok", "id": 9 })
	rig.line().drop(1000)
	rig.step()
	equal(rig.session.state, State.STOPPED)


func test_a_frame_costs_so_many_messages_and_no_more() -> void:
	var rig := Rig.new()
	rig.open()
	rig.session._options.max_messages_per_frame = 10
	for i in 25:
		rig.tell({ "type": "ok", "id": 9 })
	rig.step()
	equal(rig.received.size(), 10)
	equal(rig.session.backlog(), 15)
	rig.step()
	rig.step()
	equal(rig.received.size(), 25)


func test_the_queue_is_bounded_and_the_rest_stays_in_the_socket() -> void:
	var rig := Rig.new()
	rig.options.max_queued_frames = 8
	rig.options.max_messages_per_frame = 4
	rig.session = CallsheetSession.new(rig.options, rig.new_connection)
	rig.open()
	for i in 50:
		rig.tell({ "type": "ok", "id": 9 })
	rig.step()
	equal(rig.session.backlog(), 4)
	equal(rig.line().available(), 42)


func test_limits_of_the_server_are_kept() -> void:
	var rig := Rig.new()
	rig.limits.max_messages_per_s = 5.0
	rig.limits.max_open_requests = 7
	rig.open()
	for i in 20:
		rig.session.request({ "type": "list_saves" })
	rig.step()
	equal(rig.session.open_requests(), 7, "open requests")
	for id in range(1, 8):
		rig.tell({ "type": "saves", "id": id, "saves": [] })
	rig.step()
	# A burst of ten, less what was sent: 7 requests and 1 ping.
	equal(rig.session.open_requests(), 2, "requests of a burst")


func test_frames_that_are_no_messages_are_told_and_survived() -> void:
	var rig := Rig.new()
	rig.open()
	rig.line().deliver("{".to_utf8_buffer())
	rig.line().deliver(PackedByteArray([1, 2]), false)
	rig.line().deliver("{\"type\":\"of the future\"}".to_utf8_buffer())
	rig.line().deliver("{\"type\":\"ok\",\"id\":0}".to_utf8_buffer())
	rig.step()
	equal(rig.session.state, State.OPEN)
	var codes := rig.errors.map(func(error: CallsheetError) -> String: return error.code)
	equal(codes, ["bad_json", "bad_json", "bad_message"])


func test_faulty_options_fail_the_start() -> void:
	var rig := Rig.new()
	rig.options.world = "no spaces"
	rig.session.start()
	equal(rig.session.state, State.FAILED)
	check(rig.session.last_error.message.begins_with("world "), rig.session.last_error.message)
