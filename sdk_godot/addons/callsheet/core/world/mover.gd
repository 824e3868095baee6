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
var handle := 0
## False: left out of keyframes; the server expects no call from it. World.set_active changes it.
var is_active := true
## Why the server will not have it; null if it does, or has not answered. An NPC is tried again when it is
## updated, and everybody in a new session.
var refusal: CallsheetError
var presence := Presence.REMOVED
## As described to the server: an NpcSpec or a PlayerSpec.
var spec: Dictionary
var position := Vector3.ZERO
var velocity := Vector3.ZERO
## Has a place: the position set last can be told.
var has_place := false
## A tick of this session named it.
var was_named := false

var _sent_position := Vector3.ZERO
var _sent_velocity := Vector3.ZERO


func _init(its_id: String, its_spec: Dictionary) -> void:
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
## until it has a place again; the server counts it as inactive from the next keyframe on.
func set_motion(to: Vector3, at: Vector3) -> bool:
	has_place = to == to.clamp(-MOST, MOST) and at == at.clamp(-MOST, MOST)
	if has_place:
		position = to
		velocity = at
	return has_place


## True if ticks can name it.
func is_told() -> bool:
	return has_place and is_active and presence == Presence.SPAWNED


## True if a delta has to name it; the steps are squared.
func has_news(position_step_2: float, velocity_step_2: float) -> bool:
	return (
		not was_named
		or position.distance_squared_to(_sent_position) > position_step_2
		or velocity.distance_squared_to(_sent_velocity) > velocity_step_2
	)


## A tick names it.
func sent() -> void:
	was_named = true
	_sent_position = position
	_sent_velocity = velocity


## Its spec, with the place where it is by now, to the millimetre.
func placed_spec() -> Dictionary:
	if has_place:
		spec.position = []
		for i in 3:
			spec.position.append(snappedf(position[i], 0.001))
	return spec
