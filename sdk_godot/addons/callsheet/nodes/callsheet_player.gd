@tool
@icon("../icons/player.svg")
class_name CallsheetPlayer
extends Node
## A player: a child of the node that moves. NPCs near a player are made ready to talk.

const Ids := preload("ids.gd")
const Motion := preload("motion.gd")
const Mover := preload("../core/world/player.gd")
const NpcMover := preload("../core/world/npc.gd")

## The server will not have it, for a fault of its own. The error is in the console too.
signal refused(error: CallsheetError)

## Unique among players. Empty: the name of the parent.
@export var player_id := ""

## What NPCs call the player. Empty: the name of the parent, without a number at its end.
@export var display_name := ""

## How far NPCs overhear what it says, and what it is answered, m. 0: who is spoken to alone hears it.
@export_range(0.0, 1000.0, 0.1, "or_greater") var audible_m := 0.0

## The player under this node; null while it is not in a scene.
var mover: Mover

var _client: CallsheetClient


## Say one line to several NPCs, at most 8: they answer in turn, each having heard the ones before.
## Returns a running reply of each, in their order.
func say_to(text: String, npcs: Array[CallsheetNpc]) -> Array[CallsheetReply]:
	var movers: Array[NpcMover] = []
	for npc in npcs:
		npc.tell_actions()
		movers.append(npc.mover)
	var options := {"audible_m": audible_m} if audible_m > 0.0 else {}
	return _client.world.say_to_all(movers, text, mover, options)


func _enter_tree() -> void:
	if Engine.is_editor_hint():
		return
	_client = CallsheetClient.of(self)
	var parent := get_parent()
	mover = _client.world.add_player({
		"player": player_id if player_id else Ids.free(parent.name, _is_taken),
		"name": display_name if display_name else Ids.spoken(parent.name),
	})
	mover.refused.connect(_on_refused)
	if mover.refusal:
		_on_refused(mover.refusal)
	_client._add(mover, Motion.new(parent, mover))
	_client._players.append(self)


func _exit_tree() -> void:
	if mover:
		_client._players.erase(self)
		_client._remove(mover)
		mover = null


func _is_taken(id: String) -> bool:
	return _client.world.players.any(func(other: Mover) -> bool: return other.id == id)


func _on_refused(error: CallsheetError) -> void:
	push_error("[Callsheet] player %s is not in the world: %s" % [get_path(), error])
	refused.emit(error)


func _get_configuration_warnings() -> PackedStringArray:
	if get_parent() is Node2D or get_parent() is Node3D:
		return []
	return ["A player is where its parent is: make it a child of a Node2D or Node3D."]
