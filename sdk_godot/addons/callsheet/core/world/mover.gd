@tool
extends RefCounted
## What NPCs and players have in common: an id, a handle, and where they are.

## How far a mover has come on its way into the server's world, and out of it: it waits to be told, the
## server was asked to spawn it, it is there, the server will not have it (see `refusal`), it was removed
## while under way (the answer tells whether there is anything to despawn), it is not of this world.
enum Presence { ARRIVING, UNDER_WAY, SPAWNED, REFUSED, LEAVING, REMOVED }

## The server refused to spawn it, for a fault of its own; the field is that of its spec.
signal refused(error: CallsheetError)

const MOST := Vector3(1e7, 1e7, 1e7)

## Unique among the NPCs, or among the players, of the world.
var id: String
var name: String
## The server's number for it; only while spawned.
var handle := 0:
	set(value):
		handle = value
		record.encode_u32(0, value)
## False: left out of keyframes; the server expects no call from it. World.set_active changes it.
var is_active := true:
	set(value):
		is_active = value
		_judge()
## Why the server will not have it; null if it does, or has not answered. An NPC is tried again when it is
## updated, and everybody in a new session.
var refusal: CallsheetError
var presence := Presence.REMOVED:
	set(value):
		presence = value
		_judge()
## As described to the server: an NpcSpec or a PlayerSpec.
var spec: Dictionary
## Steps of the world, squared: what moved less is no news.
var position_step_2 := 0.0
var velocity_step_2 := 0.0
var position := Vector3.ZERO
var velocity := Vector3.ZERO
## Has a place: the position set last can be told.
var has_place := false
## True if ticks can name it: it is spawned, active and has a place.
var is_told := false
## True if the next delta has to name it.
var has_news := true
## What a tick says of it: bytes that are written when it moves, not when a tick goes out.
var record := PackedByteArray()

var _sent_position := Vector3.ZERO
var _sent_velocity := Vector3.ZERO


func _init(its_id: String, its_spec: Dictionary, record_bytes: int) -> void:
	record.resize(record_bytes)
	id = its_id
	spec = its_spec
	name = its_spec.get("name", "")


## True if the server knows it, so that ticks can name it.
func is_spawned() -> bool:
	return presence == Presence.SPAWNED


## True if the server does not know it yet, and may.
func is_expected() -> bool:
	return presence == Presence.ARRIVING or presence == Presence.UNDER_WAY


## Tell where it is, in m and m/s. False if a component is not finite or beyond 1e7: ticks then leave it out
## until it has a place again; the server counts it as inactive from the next keyframe on. What differs
## less than the steps of the world from what was told last is kept for the next keyframe.
func set_motion(to: Vector3, at: Vector3) -> bool:
	var fits := to == to.clamp(-MOST, MOST) and at == at.clamp(-MOST, MOST)
	if fits != has_place:
		has_place = fits
		_judge()
	if not fits or (to == position and at == velocity):
		return fits
	position = to
	velocity = at
	record.encode_float(4, to.x)
	record.encode_float(8, to.y)
	record.encode_float(12, to.z)
	record.encode_float(16, at.x)
	record.encode_float(20, at.y)
	record.encode_float(24, at.z)
	if not has_news:
		has_news = (
			to.distance_squared_to(_sent_position) > position_step_2
			or at.distance_squared_to(_sent_velocity) > velocity_step_2
		)
	return true


## A tick names it.
func sent() -> void:
	has_news = false
	_sent_position = position
	_sent_velocity = velocity


## Its spec, with the place where it is by now, to the millimetre.
func placed_spec() -> Dictionary:
	if has_place:
		spec.position = []
		for i in 3:
			spec.position.append(snappedf(position[i], 0.001))
	return spec


func _judge() -> void:
	is_told = has_place and is_active and presence == Presence.SPAWNED
