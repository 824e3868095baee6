extends Checks
## Binary ticks: their bytes, whom they name, and what a frame may cost.

const Codec := preload("res://addons/callsheet/core/messages/codec.gd")
const JsonParser := preload("res://addons/callsheet/core/json/json_parser.gd")
const Npc := preload("res://addons/callsheet/core/world/npc.gd")
const Mover := preload("res://addons/callsheet/core/world/mover.gd")
const Player := preload("res://addons/callsheet/core/world/player.gd")
const Rig := preload("res://core/rig.gd")
const TickWriter := preload("res://addons/callsheet/core/client/tick_writer.gd")
const World := preload("res://addons/callsheet/core/world/world.gd")
const WorldOptions := preload("res://addons/callsheet/core/world/world_options.gd")

var rig: Rig
var world: World
var options := WorldOptions.new()
var written := 0


func test_bytes_are_those_of_python() -> void:
	var file: Dictionary = JsonParser.new().parse(FileAccess.get_file_as_bytes("res://vectors/tick_binary.json"))
	var writer := TickWriter.new()
	for vector: Dictionary in file.valid:
		var tick: Dictionary = vector.tick
		if vector.name.begins_with("decodes; the world refuses"):
			continue  # A game cannot say so.
		writer.begin(TickWriter.Kind.KEYFRAME if tick.kind == "keyframe" else TickWriter.Kind.DELTA, tick.ack)
		for record: Dictionary in tick.npcs:
			var npc := Npc.new("n", {})
			_place(npc, record)
			if not record.next_call_s is String:
				npc.hint_next_call(record.next_call_s)
			elif record.flags & Npc.CLEAR_SCHEDULE:
				npc.clear_hint()
			npc.is_unavailable = record.flags & Npc.UNAVAILABLE
			writer.add_npc(npc.record)
		for record: Dictionary in tick.players:
			var player := Player.new("p", {})
			_place(player, record)
			writer.add_player(player.record)
		writer.finish(tick.tick, tick.game_time_s, tick.get("rewind", false))
		equal(writer.frame().hex_encode(), vector.hex, vector.name)
		written += 1
	check(written > 5, "%d frames written" % written)


func test_a_keyframe_names_all_and_a_delta_those_who_moved() -> void:
	_open(3)
	equal(_kind(), 1)
	equal(_handles(), [10, 11, 12])
	_tick()
	equal(_kind(), 2)
	equal(_handles(), [])
	world.npcs[1].set_motion(Vector3(5, 0, 0), Vector3.ZERO)
	world.npcs[2].set_motion(Vector3(0.01, 0, 0), Vector3.ZERO)
	_tick()
	equal(_handles(), [11])
	world.npcs[0].hint_next_call(3.0)
	world.npcs[2].is_unavailable = true
	_tick()
	equal(_handles(), [10, 12])
	_tick()
	equal(_handles(), [])


func test_a_place_that_is_none_is_left_out() -> void:
	_open(2)
	check(not world.npcs[0].set_motion(Vector3(NAN, 0, 0), Vector3.ZERO), "NAN")
	check(not world.npcs[0].set_motion(Vector3(0, INF, 0), Vector3.ZERO), "INF")
	check(not world.npcs[0].set_motion(Vector3.ZERO, Vector3(0, 0, -2e7)), "2e7")
	_keyframe()
	equal(_handles(), [11])


func test_who_is_inactive_is_left_out_of_keyframes() -> void:
	_open(2)
	world.set_active(world.npcs[0], false)
	_tick()
	equal(_kind(), 1)
	equal(_handles(), [11])


func test_a_frame_looks_at_so_many_in_turn() -> void:
	options.max_npcs_per_tick = 2
	_open(5)
	for npc in world.npcs:
		npc.set_motion(npc.position + Vector3.ONE, Vector3.ZERO)
	_tick()
	equal(_handles(), [10, 11])
	equal(world.movers_due(rig.now_s + 1.0).size(), 2)
	_tick()
	equal(_handles(), [12, 13])
	_tick()
	equal(_handles(), [14])
	_tick()
	equal(_handles(), [])


func test_a_keyframe_is_gathered_over_frames_and_goes_out_whole() -> void:
	options.max_npcs_per_tick = 2
	_open(5)
	_call_for_keyframe()
	var sent := world.ticks_sent
	_tick()
	_tick(0.001)
	equal(world.ticks_sent, sent, "ticks sent while it is gathered")
	_tick(0.001)
	equal(_kind(), 1)
	equal(_handles(), [10, 11, 12, 13, 14])
	equal(world.ticks_sent, sent + 1)


func test_somebody_who_leaves_while_a_keyframe_is_gathered_leaves_nobody_out() -> void:
	options.max_npcs_per_tick = 2
	_open(5)
	_call_for_keyframe()
	_tick()
	world.remove(world.npcs[0])
	_tick()
	_tick()
	equal(_kind(), 1)
	equal(_handles(), [11, 12, 13, 14])


func test_time_that_goes_back_is_told_by_a_keyframe() -> void:
	_open(1)
	rig.step(0.1)
	world.tick(rig.now_s, 50.0)
	rig.step(0.1)
	world.tick(rig.now_s, 20.0)
	var frame := _last()
	equal(frame.decode_u16(4), 2)
	equal(frame.decode_double(16), 20.0)
	equal(frame.decode_u8(3), 1)


func test_a_resumed_session_begins_with_a_keyframe_and_counts_on() -> void:
	_open(1)
	_tick()
	var number := _last().decode_u32(8)
	rig.line().drop()
	rig.step()
	rig.open(true, 1)
	_tick()
	equal(_kind(), 1)
	equal(_last().decode_u32(8), number + 1)


func test_a_tick_waits_while_the_last_one_does() -> void:
	_open(1)
	rig.line().takes_frames = false
	_tick()
	check(not rig.session.can_send_tick(), "the tick waits")
	var sent := world.ticks_sent
	_tick()
	equal(world.ticks_sent, sent)


func test_acks_measure_the_round_trip() -> void:
	options.ack_ticks = true
	_open(1)
	var number := _last().decode_u32(8)
	rig.say({ "type": "tick_ack", "tick": number, "game_time_s": 1.0 })
	rig.step(0.03)
	check(absf(world.tick_round_trip_s - 0.0) < 0.05, "round trip %s" % world.tick_round_trip_s)


## A world of so many NPCs, spawned, and its first keyframe sent.
func _open(count: int) -> void:
	rig = Rig.new()
	world = World.new(rig.session, options)
	options = WorldOptions.new()
	rig.open()
	for i in count:
		world.add_npc({ "npc": "n%d" % i, "name": "N" }).set_motion(Vector3.ZERO, Vector3.ZERO)
	world.tick(rig.now_s, rig.now_s)
	rig.step(0.1)
	var answer := { "type": "spawned", "id": 1, "npcs": [], "players": [] }
	for i in count:
		answer.npcs.append({ "npc": "n%d" % i, "handle": 10 + i })
	rig.tell(answer)
	rig.step()
	_keyframe()


func _call_for_keyframe() -> void:
	world.set_active(world.npcs[0], not world.npcs[0].is_active)
	world.set_active(world.npcs[0], not world.npcs[0].is_active)


func _keyframe() -> void:
	_call_for_keyframe()
	var sent := world.ticks_sent
	while world.ticks_sent == sent:
		_tick()


func _tick(by_s := 0.1) -> void:
	rig.step(by_s)
	world.tick(rig.now_s, rig.now_s)


func _last() -> PackedByteArray:
	var sent := rig.line().sent
	for i in range(sent.size() - 1, -1, -1):
		if sent[i] is PackedByteArray:
			return sent[i]
	return PackedByteArray()


func _kind() -> int:
	return _last().decode_u8(3)


func _handles() -> Array:
	var frame := _last()
	var found := []
	for i in frame.decode_u32(12):
		found.append(frame.decode_u32(32 + 36 * i))
	return found


static func _place(mover: Mover, record: Dictionary) -> void:
	mover.handle = record.handle
	mover.set_motion(_vector(record.position), _vector(record.velocity))


static func _vector(numbers: Array) -> Vector3:
	return Vector3(numbers[0], numbers[1], numbers[2])
