extends Node
## Prints what a frame of the game costs, in microseconds: the median of many.

const Npc := preload("res://addons/callsheet/core/world/npc.gd")
const Rig := preload("res://core/rig.gd")
const TickWriter := preload("res://addons/callsheet/core/client/tick_writer.gd")
const World := preload("res://addons/callsheet/core/world/world.gd")
const WorldOptions := preload("res://addons/callsheet/core/world/world_options.gd")

const ROUNDS := 101

var _rig: Rig
var _world: World
var _options: WorldOptions


func _ready() -> void:
	for count: int in [1000, 5000]:
		print("%d keyframe %s" % [count, _keyframe(count)])
		for moving: int in [100, 25, 0]:
			print("%d delta-%d %s" % [count, moving, _frames(count, count, moving)])
		print("%d rule %s" % [count, _frames(count, WorldOptions.new().max_npcs_per_tick, 100)])
		print("%d objects %d" % [count, _objects(count)])
	print("DONE")


## Write a tick that names all NPCs.
func _keyframe(count: int) -> String:
	_open(count, count)
	var times := PackedFloat64Array()
	for round_number in ROUNDS:
		_world.set_active(_world.npcs[0], round_number % 2 == 0)
		_rig.now_s += 0.1
		var start := Time.get_ticks_usec()
		_world.tick(_rig.now_s, _rig.now_s)
		times.append(Time.get_ticks_usec() - start)
		_rig.line().sent.clear()
	return _median(times)


## Tell where those are who are due, and tick; so many of a hundred have moved.
func _frames(count: int, most: int, moving: int) -> String:
	_open(count, most)
	var times := PackedFloat64Array()
	for round_number in ROUNDS:
		_rig.now_s += 0.1
		var shift := Vector3.RIGHT * round_number
		var start := Time.get_ticks_usec()
		var index := 0
		for mover in _world.movers_due(_rig.now_s):
			index += 1
			mover.set_motion(shift if index % 100 < moving else Vector3.ZERO, Vector3.ZERO)
		_world.tick(_rig.now_s, _rig.now_s)
		times.append(Time.get_ticks_usec() - start)
		_rig.line().sent.clear()
	return _median(times)


## Objects that a thousand frames leave behind.
func _objects(count: int) -> int:
	_open(count, count)
	_rig.now_s += 0.1
	_world.tick(_rig.now_s, _rig.now_s)
	_rig.line().sent.clear()
	var before := Performance.get_monitor(Performance.OBJECT_COUNT)
	for i in 1000:
		_rig.now_s += 0.1
		_world.tick(_rig.now_s, _rig.now_s)
		_rig.line().sent.clear()
	return int(Performance.get_monitor(Performance.OBJECT_COUNT) - before)


func _open(count: int, most: int) -> void:
	_rig = Rig.new()
	_options = WorldOptions.new()
	_options.max_npcs_per_tick = most
	_options.keyframe_interval_s = 1e9
	_world = World.new(_rig.session, _options)
	_rig.open()
	for i in count:
		var npc := _world.add_npc({ "npc": "n%d" % i, "name": "N" })
		npc.set_motion(Vector3(i, 0, i), Vector3.ZERO)
		npc.presence = Npc.Presence.SPAWNED
		npc.handle = i
	# They are there already: nobody is to be spawned.
	_world._spawner.restart([] as Array[Npc], [])
	var sent := _world.ticks_sent
	while _world.ticks_sent == sent:
		_rig.now_s += 0.1
		_world.tick(_rig.now_s, _rig.now_s)
	_rig.line().sent.clear()


static func _median(times: PackedFloat64Array) -> String:
	times.sort()
	return "%.0f" % times[times.size() / 2]
