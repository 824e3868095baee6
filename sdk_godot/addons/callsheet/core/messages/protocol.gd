@tool
extends RefCounted
## Constants, error codes and close codes of callsheet.v1.
##
## Generated from sdk_python/callsheet/wire by sdk_godot/tools/generate_messages.py;
## do not edit.

const PROTOCOL := "1.4"
const SUBPROTOCOL := "callsheet.v1"
const MAX_COORDINATE_M := 10000000.0
const MAX_GAME_TIME_S := 1000000000000.0
const MAX_INTEGER := 9007199254740991
const MAX_JSON_DEPTH := 32
const MAX_PERSONA_CHARS := 16000
const MAX_SPEECH_CHARS := 4000

## Code of an error -> its branch of the error tree.
const KINDS := {
	"bad_json": "protocol",
	"bad_message": "protocol",
	"unknown_type": "protocol",
	"bad_tick": "protocol",
	"tick_out_of_order": "protocol",
	"time_backwards": "protocol",
	"hello_expected": "protocol",
	"message_too_large": "protocol",
	"unauthorized": "auth",
	"forbidden": "auth",
	"version_mismatch": "version",
	"world_taken": "world",
	"world_not_ready": "world",
	"unknown_npc": "world",
	"unknown_player": "world",
	"unknown_handle": "world",
	"unknown_save": "world",
	"duplicate_npc": "world",
	"duplicate_player": "world",
	"bad_value": "world",
	"limit_exceeded": "world",
	"duplicate_request": "request",
	"unknown_request": "request",
	"text_refused": "request",
	"engine_unavailable": "engine",
	"engine_overloaded": "engine",
	"context_too_long": "engine",
	"unknown_adapter": "engine",
	"generation_failed": "engine",
	"interrupted": "engine",
	"storage_failed": "engine",
	"hello_timeout": "session",
	"heartbeat_timeout": "session",
	"superseded": "session",
	"slow_consumer": "session",
	"flooding": "session",
	"draining": "session",
	"internal": "session",
	"connection_failed": "session",
	"session_lost": "session",
}

## Codes of errors after which the server closes.
const CLOSING := [
	"hello_expected",
	"message_too_large",
	"unauthorized",
	"version_mismatch",
	"world_taken",
	"hello_timeout",
	"heartbeat_timeout",
	"superseded",
	"slow_consumer",
	"flooding",
	"draining",
	"internal",
]

enum Close {
	NORMAL = 1000,
	MESSAGE_TOO_BIG = 1009,
	PROTOCOL_ERROR = 4000,
	UNAUTHORIZED = 4001,
	VERSION_MISMATCH = 4002,
	HELLO_TIMEOUT = 4004,
	WORLD_TAKEN = 4005,
	HEARTBEAT_TIMEOUT = 4006,
	SUPERSEDED = 4007,
	SLOW_CONSUMER = 4008,
	FLOODING = 4009,
	DRAINING = 4010,
	INTERNAL = 4011,
}

## Close codes of the server after which a session can be resumed.
const RESUMABLE := [Close.HEARTBEAT_TIMEOUT, Close.INTERNAL]

## Close codes after which trying again by itself would end the same way.
const FINAL := [Close.MESSAGE_TOO_BIG, Close.PROTOCOL_ERROR, Close.UNAUTHORIZED, Close.VERSION_MISMATCH, Close.WORLD_TAKEN, Close.SUPERSEDED, Close.FLOODING]
