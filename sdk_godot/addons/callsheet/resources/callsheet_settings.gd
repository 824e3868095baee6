@tool
@icon("../icons/settings.svg")
class_name CallsheetSettings
extends Resource
## Where the server is, and how the world is told to it.
##
## The file res://callsheet_settings.tres is used by every client that has none of its own; without one
## the defaults hold.

const Session := preload("../core/client/session_options.gd")
const World := preload("../core/world/world_options.gd")
const PATH := "res://callsheet_settings.tres"

@export_group("Server")

## Where the server listens: ws://host:port/, or wss:// behind a TLS proxy.
@export var server_url := "ws://127.0.0.1:8765/"

## The world this game owns. Two games on one server need different worlds. Letters, digits and
## [code]_ . : -[/code] only.
@export var world := "default"

## The token the server was started with; empty if none. It ships with the build: it keeps strangers
## out, it is no secret.
@export var token := ""

@export_group("World")

## What every NPC of this world knows. The shorter, the faster.
@export_multiline var lore := ""

## The fastest a player can move, m/s. Tell the truth: it decides how early an NPC is made ready.
@export_range(0.01, 300.0, 0.01, "or_greater") var player_max_speed_mps := 8.0

## The fastest an NPC can move, m/s.
@export_range(0.01, 300.0, 0.01, "or_greater") var npc_max_speed_mps := 4.0

## In 2D: how many pixels are a metre.
@export_range(1.0, 1000.0, 0.1, "or_greater") var pixels_per_m := 32.0

@export_group("Traffic")

## How often a second the server is told where everybody is. 20 is plenty for NPCs who walk.
@export_range(1.0, 60.0) var ticks_per_s := 20.0

## NPCs looked at in one tick; the others have their turn in later ones.
@export_range(1, 10000) var max_npcs_per_tick := 500

## Ask for the state of every NPC twice a second, for [signal CallsheetNpc.state_changed] and
## [signal CallsheetNpc.tier_changed].
@export var show_npc_states := false

## Messages handled in one frame. What is over waits for the next frame.
@export_range(1, 10000) var max_messages_per_frame := 256

## Log connections, not only problems.
@export var verbose := false


## The project's settings, or the defaults if it has none.
static func of_project() -> CallsheetSettings:
	if ResourceLoader.exists(PATH):
		return load(PATH)
	return new()


func to_session_options() -> Session:
	var options := Session.new()
	options.url = server_url
	options.world = world
	options.token = token
	options.max_messages_per_frame = max_messages_per_frame
	options.jitter_seed = randi()
	return options


func to_world_options() -> World:
	var options := World.new()
	options.lore = lore
	options.player_max_speed_mps = player_max_speed_mps
	options.npc_max_speed_mps = npc_max_speed_mps
	options.ticks_per_s = ticks_per_s
	options.max_npcs_per_tick = max_npcs_per_tick
	if show_npc_states:
		options.topics = ["npcs"] as Array[String]
	return options
