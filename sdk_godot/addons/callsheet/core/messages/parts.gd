@tool
extends RefCounted
## Objects inside messages.
##
## Generated from sdk_python/callsheet/wire by sdk_godot/tools/generate_messages.py;
## do not edit.

const Field := preload("field.gd")

## Name of an object -> its fields, in their order on the wire.
const FIELDS := {
	"ClientInfo": [
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 100, Field.Form.ANY],
		["version", Field.Kind.TEXT, Field.REQUIRED, null, 1, 40, Field.Form.ANY],
	],
	"Resume": [
		["session", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ANY],
		["token", Field.Kind.TEXT, Field.REQUIRED, null, 1, 128, Field.Form.ANY],
		["last_seq", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
	],
	"Limits": [
		["max_message_bytes", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["max_tick_bytes", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["max_npcs_per_world", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["max_npcs_per_spawn", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["max_players_per_world", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["max_open_requests", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["max_messages_per_s", Field.Kind.REAL, Field.REQUIRED, null, -INF, INF],
		["max_ticks_per_s", Field.Kind.REAL, Field.REQUIRED, null, -INF, INF],
		["max_bytes_per_s", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 9007199254740991],
		["max_generated_tokens_per_min", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 9007199254740991],
		["max_outbox_messages", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 9007199254740991],
		["max_outbox_bytes", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 9007199254740991],
		["max_mod_turns_per_npc_per_min", Field.Kind.REAL, Field.OPTIONAL, null, -INF, INF],
	],
	"EngineSummary": [
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["version", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["model", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["device", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["context_limit_tokens", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["keeps_residency", Field.Kind.FLAG, Field.REQUIRED, null],
		["replicas", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 9007199254740991],
	],
	"ConditionalLore": [
		["text", Field.Kind.TEXT, Field.REQUIRED, null, 1, 1000, Field.Form.ANY],
		["archetypes", Field.Kind.LIST, Field.OPTIONAL, null, 0, 100, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
		["place", Field.Kind.VECTOR, Field.OPTIONAL, null, -10000000.0, 10000000.0],
		["radius_m", Field.Kind.REAL, Field.DEFAULT, 10.0, 0.0, 100000.0],
		["from_s", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 1000000000000.0],
		["until_s", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 1000000000000.0],
		["every_s", Field.Kind.REAL, Field.OPTIONAL, null, Field.ABOVE_ZERO, 1000000000.0],
		["flag", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 64, Field.Form.ID],
	],
	"ScheduledCall": [
		["at_s", Field.Kind.REAL, Field.REQUIRED, null, 0.0, 1000000000000.0],
		["every_s", Field.Kind.REAL, Field.OPTIONAL, null, Field.ABOVE_ZERO, 1000000000.0],
	],
	"ActionSpec": [
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.IDENTIFIER],
		["description", Field.Kind.TEXT, Field.REQUIRED, null, 0, 500, Field.Form.ANY],
		["parameters", Field.Kind.JSON, Field.REQUIRED, null],
		["gated", Field.Kind.FLAG, Field.OPTIONAL, null],
	],
	"NpcSpec": [
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 100, Field.Form.ANY],
		["persona", Field.Kind.TEXT, Field.DEFAULT, "", 0, 16000, Field.Form.ANY],
		["archetype", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 64, Field.Form.ID],
		["adapter", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 64, Field.Form.ID],
		["interaction_radius_m", Field.Kind.REAL, Field.DEFAULT, 3.0, 0.0, 100000.0],
		["sociability", Field.Kind.REAL, Field.DEFAULT, 0.0, 0.0, 1.0],
		["position", Field.Kind.VECTOR, Field.OPTIONAL, null, -10000000.0, 10000000.0],
		["schedule", Field.Kind.LIST, Field.DEFAULT, [], 0, 64, ["", Field.Kind.PART, Field.REQUIRED, null, "ScheduledCall"]],
		["actions", Field.Kind.LIST, Field.OPTIONAL, null, 0, 32, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.IDENTIFIER]],
		["action_specs", Field.Kind.LIST, Field.OPTIONAL, null, 0, 32, ["", Field.Kind.PART, Field.REQUIRED, null, "ActionSpec"]],
		["knowledge", Field.Kind.LIST, Field.OPTIONAL, null, 0, 32, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 500, Field.Form.ANY]],
	],
	"PlayerSpec": [
		["player", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 100, Field.Form.ANY],
		["position", Field.Kind.VECTOR, Field.OPTIONAL, null, -10000000.0, 10000000.0],
	],
	"SpawnedNpc": [
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["handle", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 4294967295],
	],
	"SpawnedPlayer": [
		["player", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["handle", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 4294967295],
	],
	"Hint": [
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["in_s", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 1000000000000.0],
	],
	"TickNpc": [
		["handle", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 4294967295],
		["position", Field.Kind.VECTOR, Field.REQUIRED, null, -10000000.0, 10000000.0],
		["velocity", Field.Kind.VECTOR, Field.DEFAULT, [0.0, 0.0, 0.0], -10000000.0, 10000000.0],
		["next_call_s", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 1000000000000.0],
		["flags", Field.Kind.INTEGER, Field.DEFAULT, 0, 0, 3],
	],
	"TickPlayer": [
		["handle", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 4294967295],
		["position", Field.Kind.VECTOR, Field.REQUIRED, null, -10000000.0, 10000000.0],
		["velocity", Field.Kind.VECTOR, Field.DEFAULT, [0.0, 0.0, 0.0], -10000000.0, 10000000.0],
	],
	"SaveView": [
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ANY],
		["time_s", Field.Kind.REAL, Field.REQUIRED, null, -INF, INF],
		["saved_at", Field.Kind.REAL, Field.REQUIRED, null, -INF, INF],
	],
	"SpeakerView": [
		["kind", Field.Kind.ENUM, Field.REQUIRED, null, ["player", "npc", "narrator"]],
		["id", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 64, Field.Form.ID],
		["name", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 100, Field.Form.ANY],
	],
	"Speaker": [
		["kind", Field.Kind.ENUM, Field.REQUIRED, null, ["player", "npc", "narrator"]],
		["id", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 64, Field.Form.ID],
		["name", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 100, Field.Form.ANY],
	],
	"SamplingSpec": [
		["temperature", Field.Kind.REAL, Field.OPTIONAL, null, 0.0, 4.0],
		["top_p", Field.Kind.REAL, Field.OPTIONAL, null, Field.ABOVE_ZERO, 1.0],
		["top_k", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 1000000],
		["repetition_penalty", Field.Kind.REAL, Field.OPTIONAL, null, 0.5, 2.0],
		["seed", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 9007199254740991],
	],
	"EstimatorView": [
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["distance_s", Field.Kind.REAL, Field.OPTIONAL, null, -INF, INF],
		["why", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
	],
	"RememberedLine": [
		["speaker", Field.Kind.TEXT, Field.OPTIONAL, null, 0, Field.NO_END, Field.Form.ANY],
		["text", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
	],
	"Move": [
		["kind", Field.Kind.ENUM, Field.REQUIRED, null, ["prefix", "adapter", "weights", "blob"]],
		["key", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["source", Field.Kind.ENUM, Field.REQUIRED, null, ["device", "host", "disk", "absent"]],
		["target", Field.Kind.ENUM, Field.REQUIRED, null, ["device", "host", "disk", "absent"]],
		["bytes", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["seconds", Field.Kind.REAL, Field.REQUIRED, null, -INF, INF],
		["reason", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["distance_s", Field.Kind.REAL, Field.OPTIONAL, null, -INF, INF],
		["error", Field.Kind.TEXT, Field.OPTIONAL, null, 0, Field.NO_END, Field.Form.ANY],
	],
	"NpcState": [
		["npc", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["handle", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 4294967295],
		["position", Field.Kind.VECTOR, Field.REQUIRED, null, -10000000.0, 10000000.0],
		["distance_s", Field.Kind.REAL, Field.OPTIONAL, null, -INF, INF],
		["estimator", Field.Kind.TEXT, Field.OPTIONAL, null, 0, Field.NO_END, Field.Form.ANY],
		["tier", Field.Kind.ENUM, Field.REQUIRED, null, ["device", "host", "disk", "absent"]],
		["in_conversation", Field.Kind.FLAG, Field.DEFAULT, false],
		["name", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 100, Field.Form.ANY],
		["interaction_radius_m", Field.Kind.REAL, Field.OPTIONAL, null, -INF, INF],
		["bytes", Field.Kind.INTEGER, Field.OPTIONAL, null, 0, 9007199254740991],
		["last_call_s", Field.Kind.REAL, Field.OPTIONAL, null, -INF, INF],
	],
	"PlayerState": [
		["player", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID],
		["handle", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 4294967295],
		["position", Field.Kind.VECTOR, Field.REQUIRED, null, -10000000.0, 10000000.0],
		["name", Field.Kind.TEXT, Field.OPTIONAL, null, 1, 100, Field.Form.ANY],
	],
	"TierStats": [
		["kind", Field.Kind.ENUM, Field.REQUIRED, null, ["prefix", "adapter", "weights", "blob"]],
		["tier", Field.Kind.ENUM, Field.REQUIRED, null, ["device", "host", "disk", "absent"]],
		["used_bytes", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["budget_bytes", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["items", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
	],
	"ReplicaStats": [
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["state", Field.Kind.ENUM, Field.REQUIRED, null, ["serving", "draining", "drained", "lost"]],
		["npcs", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["arriving", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["running", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["queued", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["replies", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["device_hits", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["soonest", Field.Kind.LIST, Field.REQUIRED, null, 0, Field.NO_END, ["", Field.Kind.TEXT, Field.REQUIRED, null, 1, 64, Field.Form.ID]],
	],
	"TtftStats": [
		["replies", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["p50_s", Field.Kind.REAL, Field.OPTIONAL, null, -INF, INF],
		["p95_s", Field.Kind.REAL, Field.OPTIONAL, null, -INF, INF],
	],
	"ChanceStats": [
		["within_s", Field.Kind.REAL, Field.REQUIRED, null, -INF, INF],
		["band", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["looks", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["said", Field.Kind.REAL, Field.REQUIRED, null, -INF, INF],
		["came", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
	],
	"SourceStats": [
		["name", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["foremost", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
	],
	"ForecastStats": [
		["chances", Field.Kind.LIST, Field.REQUIRED, null, 0, Field.NO_END, ["", Field.Kind.PART, Field.REQUIRED, null, "ChanceStats"]],
		["callers", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["foremost", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
		["sources", Field.Kind.LIST, Field.REQUIRED, null, 0, Field.NO_END, ["", Field.Kind.PART, Field.REQUIRED, null, "SourceStats"]],
	],
	"AdapterView": [
		["adapter", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["folder", Field.Kind.TEXT, Field.REQUIRED, null, 0, Field.NO_END, Field.Form.ANY],
		["npcs", Field.Kind.INTEGER, Field.REQUIRED, null, 0, 9007199254740991],
	],
}
