@tool
extends RefCounted
## Tells the server who is in the world, in batches that keep to its limits and to what a frame may cost.

const Facts := preload("facts.gd")
const Mover := preload("mover.gd")
const Npc := preload("npc.gd")
const Player := preload("player.gd")
const RequestHandler := preload("../client/request_handler.gd")
const Roster := preload("roster.gd")
const Session := preload("../client/session.gd")
const SpawnRefusal := preload("spawn_refusal.gd")
const Versions := preload("../messages/versions.gd")

## The server's note to who made the game.
signal noted(text: String)

## NPCs that one batch spawns, one batch a frame: a spec costs about as much as ten ticks of its NPC.
const BATCH_NPCS := 64
## Bytes of JSON at most for a character, and for the names and numbers of a spec or an action.
const BYTES_PER_CHAR := 6
const BYTES_PER_SPEC := 4096
## Fields that came with protocol 1.3.
const NEW_FIELDS := ["action_specs", "knowledge"]


## One spawn request and whom it is about.
class Batch:
	extends RequestHandler

	var npcs: Array[Mover]
	var players: Array[Mover]
	var told: Callable
	var failed: Callable

	func on_message(message: Dictionary) -> void:
		told.call(self, message)

	func on_failed(error: CallsheetError) -> void:
		failed.call(self, error)


var _session: Session
var _npcs := Roster.new()
var _players := Roster.new()


func _init(session: Session) -> void:
	_session = session


## False: the server is of a version before 1.3, and would refuse what came with that.
func is_server_current() -> bool:
	return Versions.has(_session.welcome.protocol, 3)


func add(mover: Mover) -> void:
	_roster(mover).add(mover)


func remove(mover: Mover) -> void:
	_roster(mover).remove(mover)


## A new session: everybody is to be spawned again, and nobody removed.
func restart(npcs: Array[Npc], players: Array[Player]) -> void:
	for npc in npcs:
		npc.last_state = {}
	_npcs.restart(npcs)
	_players.restart(players)


## Send what was added and removed: one batch, or everything.
func flush(everything := false) -> void:
	var gone_npcs := _npcs.take_departing()
	var gone_players := _players.take_departing()
	if not (gone_npcs.is_empty() and gone_players.is_empty()):
		var despawn := { "type": "despawn", "npcs": gone_npcs, "players": gone_players }
		_session.request(despawn, null, true)
	var is_more := _npcs.has_arriving() or _players.has_arriving()
	while is_more:
		is_more = _send(_take_batch()) and everything


func _take_batch() -> Batch:
	var limits: Dictionary = _session.welcome.limits
	var batch := Batch.new()
	batch.told = _spawned
	batch.failed = _refused
	batch.players = _players.take_arriving(limits.max_players_per_world)
	var taken := _npcs.take_arriving(mini(limits.max_npcs_per_spawn, BATCH_NPCS))
	var room: int = limits.max_message_bytes - BYTES_PER_SPEC * (batch.players.size() + 1)
	for npc in taken:
		var size := _size(npc.spec)
		if room < size and not batch.npcs.is_empty():
			break
		room -= size
		batch.npcs.append(npc)
	_npcs.turned_back(taken.slice(batch.npcs.size()))
	return batch


func _send(batch: Batch) -> bool:
	if batch.npcs.is_empty() and batch.players.is_empty():
		return false
	var spawn := {
		"type": "spawn",
		"npcs": batch.npcs.map(_told_spec),
		"players": batch.players.map(_told_spec),
	}
	_session.request(spawn, batch, true)
	return true


func _told_spec(mover: Mover) -> Dictionary:
	var spec := mover.placed_spec()
	if is_server_current():
		return spec
	var known := spec.duplicate()
	for field: String in NEW_FIELDS:
		known.erase(field)
	return known


func _spawned(batch: Batch, message: Dictionary) -> void:
	for i in mini(batch.npcs.size(), message.npcs.size()):
		_npcs.arrived(batch.npcs[i], message.npcs[i].handle)
		Facts.new(_session, batch.npcs[i]).tell()
	for i in mini(batch.players.size(), message.players.size()):
		_players.arrived(batch.players[i], message.players[i].handle)
	if message.has("note"):
		noted.emit(message.note)


## Nobody of the batch is in the world: who is to blame is told, the others are sent again.
func _refused(batch: Batch, error: CallsheetError) -> void:
	var is_over := error.code in [CallsheetError.SESSION_LOST, CallsheetError.CONNECTION_FAILED]
	var blamed := {} if is_over else SpawnRefusal.find(error, batch.npcs, batch.players)
	for mover: Mover in blamed:
		mover.presence = Mover.Presence.REFUSED
		mover.refusal = blamed[mover]
	_npcs.turned_back(batch.npcs)
	_players.turned_back(batch.players)
	if not is_over:
		# Before what was said to them goes again.
		flush(true)
	for mover: Mover in blamed:
		mover.refused.emit(blamed[mover])


func _roster(mover: Mover) -> Roster:
	return _npcs if mover is Npc else _players


## Bytes of JSON that a value takes at most.
static func _size(value: Variant) -> int:
	if value is String:
		return BYTES_PER_CHAR * value.length()
	var size := BYTES_PER_SPEC if value is Dictionary and value.has("npc") else 64
	if value is Dictionary:
		for key: String in value:
			size += BYTES_PER_CHAR * key.length() + _size(value[key])
	elif value is Array:
		for item: Variant in value:
			size += _size(item)
	return size
