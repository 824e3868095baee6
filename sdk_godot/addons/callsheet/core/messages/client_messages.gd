@tool
extends RefCounted
## Messages that a client sends.
##
## Generated from sdk_python/callsheet/wire by sdk_godot/tools/generate_messages.py;
## do not edit.

const Field := preload("field.gd")

## Type of a message -> its fields, in their order on the wire.
const FIELDS := {
	"hello": [
		["protocol", Field.Kind.TEXT, Field.DEFAULT, "1.0", 0, Field.NO_END, Field.Form.VERSION],
		["role", Field.Kind.ENUM, Field.REQUIRED, null, ["game", "mod", "observer"]],
		["world", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["client", Field.Kind.PART, Field.REQUIRED, null, "ClientInfo"],
		["token", Field.Kind.TEXT, Field.OPTIONAL, null, 0, 1024, Field.Form.ANY],
		["resume", Field.Kind.PART, Field.OPTIONAL, null, "Resume"],
	],
	"ping": [
		["client_time_s", Field.Kind.REAL, Field.REQUIRED, null, -1000000000000000.0, 1000000000000000.0],
		["ack", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 9007199254740991],
	],
	"ack": [
		["seq", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
	],
	"bye": [],
	"configure_world": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["lore", Field.Kind.TEXT, Field.OPTIONAL, null, 0, 16000, Field.Form.ANY],
		["player_max_speed_mps", Field.Kind.REAL, Field.OPTIONAL, null, Field.ABOVE_ZERO, 10000.0],
		["npc_max_speed_mps", Field.Kind.REAL, Field.OPTIONAL, null, Field.ABOVE_ZERO, 10000.0],
		["lore_entries", Field.Kind.LIST, Field.OPTIONAL, null, 0, 256, ["", Field.Kind.PART, Field.REQUIRED, null, "ConditionalLore"]],
		["flags", Field.Kind.LIST, Field.OPTIONAL, null, 0, 256, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
	],
	"spawn": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npcs", Field.Kind.LIST, Field.DEFAULT, [], 0, Field.NO_END, ["", Field.Kind.PART, Field.REQUIRED, null, "NpcSpec"]],
		["players", Field.Kind.LIST, Field.DEFAULT, [], 0, Field.NO_END, ["", Field.Kind.PART, Field.REQUIRED, null, "PlayerSpec"]],
	],
	"update_npc": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["name", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 100, Field.Form.ANY],
		["persona", Field.Kind.TEXT, Field.OPTIONAL, null, 0, 16000, Field.Form.ANY],
		["adapter", Field.Kind.TEXT, Field.OPTIONAL, null, 0, 64, Field.Form.ID_OR_EMPTY],
		["interaction_radius_m", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 100000.0],
		["sociability", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 1.0],
		["schedule", Field.Kind.LIST, Field.OPTIONAL, null, 0, 64, ["", Field.Kind.PART, Field.REQUIRED, null, "ScheduledCall"]],
		["actions", Field.Kind.LIST, Field.OPTIONAL, null, 0, 32, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.IDENTIFIER]],
		["action_specs", Field.Kind.LIST, Field.OPTIONAL, null, 0, 32, ["", Field.Kind.PART, Field.REQUIRED, null, "ActionSpec"]],
		["knowledge", Field.Kind.LIST, Field.OPTIONAL, null, 0, 32, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 500, Field.Form.ANY]],
	],
	"despawn": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npcs", Field.Kind.LIST, Field.DEFAULT, [], 0, Field.NO_END, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
		["players", Field.Kind.LIST, Field.DEFAULT, [], 0, Field.NO_END, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
	],
	"hint_calls": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["hints", Field.Kind.LIST, Field.REQUIRED, null, 1, 10000, ["", Field.Kind.PART, Field.REQUIRED, null, "Hint"]],
	],
	"tick": [
		["kind", Field.Kind.ENUM, Field.REQUIRED, null, ["keyframe", "delta"]],
		["tick", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 4294967295],
		["game_time_s", Field.Kind.REAL, Field.REQUIRED, null, 0.0, 1000000000000.0],
		["ack", Field.Kind.FLAG, Field.DEFAULT, false],
		["rewind", Field.Kind.FLAG, Field.OPTIONAL, null],
		["npcs", Field.Kind.LIST, Field.DEFAULT, [], 0, Field.NO_END, ["", Field.Kind.PART, Field.REQUIRED, null, "TickNpc"]],
		["players", Field.Kind.LIST, Field.DEFAULT, [], 0, Field.NO_END, ["", Field.Kind.PART, Field.REQUIRED, null, "TickPlayer"]],
	],
	"join": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 100, Field.Form.ANY],
		["position", Field.Kind.VECTOR, Field.REQUIRED, null, -10000000.0, 10000000.0],
	],
	"move_player": [
		["position", Field.Kind.VECTOR, Field.REQUIRED, null, -10000000.0, 10000000.0],
		["velocity", Field.Kind.VECTOR, Field.DEFAULT, [0.0, 0.0, 0.0], -10000000.0, 10000000.0],
	],
	"forget": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npcs", Field.Kind.LIST, Field.OPTIONAL, null, 1, 10000, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
		["after_s", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 1000000000000.0],
	],
	"save": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ANY],
	],
	"load": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ANY],
	],
	"delete_save": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ANY],
	],
	"list_saves": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
	],
	"say": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npc", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 64, Field.Form.ID],
		["speaker", Field.Kind.PART, Field.REQUIRED, null, "Speaker"],
		["text", Field.Kind.TEXT, Field.REQUIRED, null, 1, 4000, Field.Form.ANY],
		["priority", Field.Kind.ENUM, Field.OPTIONAL, null, ["player", "npc", "background"]],
		["max_tokens", Field.Kind.INTEGER, Field.OPTIONAL, null, 1, 4096],
		["sampling", Field.Kind.PART, Field.OPTIONAL, null, "SamplingSpec"],
		["stop", Field.Kind.LIST, Field.DEFAULT, [], 0, 8, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 100, Field.Form.ANY]],
		["actions", Field.Kind.LIST, Field.OPTIONAL, null, 0, 32, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.IDENTIFIER]],
		["audible_m", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 100000.0],
		["npcs", Field.Kind.LIST, Field.OPTIONAL, null, 1, 8, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
	],
	"hear": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npcs", Field.Kind.LIST, Field.REQUIRED, null, 1, 32, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
		["speaker", Field.Kind.PART, Field.REQUIRED, null, "Speaker"],
		["text", Field.Kind.TEXT, Field.REQUIRED, null, 1, 4000, Field.Form.ANY],
	],
	"speak": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["text", Field.Kind.TEXT, Field.REQUIRED, null, 1, 4000, Field.Form.ANY],
		["audible_m", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 100000.0],
	],
	"cancel": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
	],
	"action_result": [
		["action", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["ok", Field.Kind.FLAG, Field.REQUIRED, null],
		["message", Field.Kind.TEXT, Field.DEFAULT, "", 0, 1000, Field.Form.ANY],
	],
	"register_script": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["script", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["npcs", Field.Kind.LIST, Field.DEFAULT, [], 0, 10000, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
		["archetypes", Field.Kind.LIST, Field.DEFAULT, [], 0, 100, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
		["persona", Field.Kind.TEXT, Field.OPTIONAL, null, 0, 16000, Field.Form.ANY],
		["interaction_radius_m", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 100000.0],
		["sociability", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 1.0],
		["schedule", Field.Kind.LIST, Field.OPTIONAL, null, 0, 64, ["", Field.Kind.PART, Field.REQUIRED, null, "ScheduledCall"]],
		["actions", Field.Kind.LIST, Field.DEFAULT, [], 0, 32, ["", Field.Kind.PART, Field.REQUIRED, null, "ActionSpec"]],
		["events", Field.Kind.LIST, Field.DEFAULT, [], 0, 3, ["", Field.Kind.ENUM, Field.REQUIRED, null, ["hear", "near", "tick"]]],
		["tick_interval_s", Field.Kind.REAL, Field.DEFAULT, 1.0, 0.1, 3600.0],
		["game_actions", Field.Kind.LIST, Field.OPTIONAL, null, 0, 32, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.IDENTIFIER]],
		["judges_actions", Field.Kind.FLAG, Field.OPTIONAL, null],
	],
	"unregister_script": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["script", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
	],
	"hear_answer": [
		["call", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["material", Field.Kind.TEXT, Field.OPTIONAL, null, 0, 4000, Field.Form.ANY],
		["reply", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 4000, Field.Form.ANY],
		["ignore", Field.Kind.FLAG, Field.DEFAULT, false],
		["actions", Field.Kind.LIST, Field.OPTIONAL, null, 0, 64, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.IDENTIFIER]],
	],
	"action_verdict": [
		["call", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["ok", Field.Kind.FLAG, Field.REQUIRED, null],
	],
	"set_facts": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["facts", Field.Kind.JSON, Field.REQUIRED, null],
	],
	"get_facts": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
	],
	"subscribe": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["topics", Field.Kind.LIST, Field.REQUIRED, null, 0, 4, ["", Field.Kind.ENUM, Field.REQUIRED, null, ["replies", "residency", "npcs", "stats"]]],
		["interval_s", Field.Kind.REAL, Field.DEFAULT, 0.5, 0.05, 60.0],
	],
	"explain": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
	],
	"set_policy": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["policy", Field.Kind.ENUM, Field.REQUIRED, null, ["distance", "lru", "naive"]],
	],
	"drain_replica": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["replica", Field.Kind.TEXT, Field.REQUIRED, null, 1, 300, Field.Form.ANY],
		["undo", Field.Kind.FLAG, Field.DEFAULT, false],
	],
	"set_adapter": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["adapter", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["folder", Field.Kind.TEXT, Field.REQUIRED, null, 1, 4096, Field.Form.ANY],
		["update", Field.Kind.FLAG, Field.DEFAULT, false],
	],
	"remove_adapter": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
		["adapter", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
	],
	"list_adapters": [
		["id", Field.Kind.INTEGER, Field.REQUIRED, null, 1, 9007199254740991],
	],
}
