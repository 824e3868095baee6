extends Checks
## Ids and spoken names of nodes; the command that starts a server; the clock.

const Ids := preload("res://addons/callsheet/nodes/ids.gd")
const StartCommand := preload("res://addons/callsheet/nodes/start_command.gd")
const LocalServer := preload("res://addons/callsheet/editor/local_server.gd")


func test_an_id_keeps_what_an_id_may_hold() -> void:
	equal(Ids.from("Guard.2_a-b"), "Guard.2_a-b")
	equal(Ids.from("Old Tom!"), "Old_Tom_")
	equal(Ids.from("村"), "u6751")
	equal(Ids.from(""), "_")


func test_a_long_name_becomes_an_id_of_its_own() -> void:
	var one := Ids.from("a".repeat(80))
	var other := Ids.from("a".repeat(81))
	equal(one.length(), Ids.MAX_CHARS)
	check(one != other, "two long names have one id")


func test_a_name_that_is_taken_gets_a_number() -> void:
	var taken: Array[String] = ["Guard", "Guard-2"]
	equal(Ids.free("Guard", taken.has), "Guard-3")


func test_copies_of_a_node_are_called_alike() -> void:
	equal(Ids.spoken("Guard2"), "Guard")
	equal(Ids.spoken("Old Tom 3"), "Old Tom")
	equal(Ids.spoken("007"), "007")


func test_the_command_has_the_port_of_the_url() -> void:
	equal(StartCommand.of("ws://127.0.0.1:8765/"), "callsheet serve")
	equal(StartCommand.of("ws://127.0.0.1:9000/"), "callsheet serve --port 9000")
	equal(StartCommand.of("ws://[::1]:9000/"), "callsheet serve --port 9000")
	equal(StartCommand.of("nonsense"), "callsheet serve")


func test_the_local_server_takes_the_engine_without_a_model() -> void:
	var arguments := LocalServer.arguments("ws://127.0.0.1:9000/", true)
	equal(" ".join(arguments), "serve --port 9000 --engine scripted")
	check(not LocalServer.new().is_running(), "a server runs before it was started")


func test_the_clock_goes_stands_and_jumps() -> void:
	var clock := CallsheetClock.new()
	clock.advance(1.5)
	equal(clock.time_s, 1.5)
	clock.speed = 60.0
	clock.advance(1.0)
	equal(clock.time_s, 61.5)
	clock.is_paused = true
	clock.advance(1.0)
	equal(clock.time_s, 61.5)
	clock.skip(8.5)
	equal(clock.time_s, 70.0)


func test_a_clock_of_the_games_own_rules() -> void:
	var clock := CallsheetClock.new()
	clock.source = func() -> float: return 42.0
	clock.advance(1.0)
	equal(clock.time_s, 42.0)
