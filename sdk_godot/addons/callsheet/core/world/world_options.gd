@tool
extends RefCounted
## How a game's world is told to the server.

## Ticks sent in a second of the session's clock.
var ticks_per_s := 20.0
## Seconds between two keyframes.
var keyframe_interval_s := 10.0
## NPCs that one tick looks at, at most: a frame costs no more than these. The others come in turn.
var max_npcs_per_tick := 500
## A delta names whoever moved farther than this since it was last named, m.
var position_step_m := 0.05
## A delta names whoever changed its velocity by more than this, m/s.
var velocity_step_mps := 0.1
## Asks every tick for an ack, by which `tick_round_trip_s` is measured.
var ack_ticks := false
## Text that every NPC of the world knows; empty says nothing.
var lore := ""
## The fastest a player can move, m/s; NAN leaves the server's default.
var player_max_speed_mps := NAN
## The fastest an NPC can move, m/s; NAN leaves the server's default.
var npc_max_speed_mps := NAN
## What the server is to tell by itself: `npcs`, `stats`, `residency`, `replies`.
var topics: Array[String] = []
## How often `npcs` and `stats` are told, s.
var topic_interval_s := 0.5
