@tool
extends RefCounted
## How a session connects and how much it takes in.

const ClientMessages := preload("../messages/client_messages.gd")
const Judge := preload("../messages/judge.gd")

const DEFAULT_URL := "ws://127.0.0.1:8765/"
## The version of this addon.
const SDK_VERSION := "0.2.0"

## Where the server listens.
var url := DEFAULT_URL
## The world to own (game) or to join (mod, observer).
var world := "default"
var role := "game"
## What the server was started with as its token; empty = none.
var token := ""
var client_name := "callsheet-godot"
var client_version := SDK_VERSION
## A connection that is not open, or a hello that is not answered, after this long is given up.
var connect_timeout_s := 5.0
## The first wait before a reconnect; it doubles with every failure in a row.
var reconnect_min_s := 0.1
## The longest wait before a reconnect.
var reconnect_max_s := 5.0
## How long a stop waits for the server to take the goodbye.
var close_timeout_s := 1.0
## Messages read and handled in one frame; the others wait for the next.
var max_messages_per_frame := 64
## Frames waiting to be read; beyond, the session stops taking them from the socket.
var max_queued_frames := 4096
## Seed of the reconnect jitter.
var jitter_seed := 1


## Tell what is wrong with the options, naming one; empty if nothing is.
func fault() -> String:
	if not (url.begins_with("ws://") or url.begins_with("wss://")):
		return "url must be ws://host:port/ or wss://host:port/, not '%s'" % url
	var judge := Judge.new()
	judge.read(hello(), ClientMessages.FIELDS.hello, true)
	if not judge.fault.is_empty():
		return "%s %s" % [judge.field, judge.fault]
	for option: String in ["connect_timeout_s", "reconnect_min_s", "close_timeout_s"]:
		if not get(option) > 0.0:
			return "%s must be above 0" % option
	if not reconnect_max_s >= reconnect_min_s:
		return "reconnect_max_s must be at least reconnect_min_s"
	if max_messages_per_frame < 1 or max_queued_frames < 1:
		return "max_messages_per_frame and max_queued_frames must be at least 1"
	return ""


## The message that opens a connection.
func hello() -> Dictionary:
	var message := {
		"type": "hello",
		"protocol": Judge.Protocol.PROTOCOL,
		"role": role,
		"world": world,
		"client": { "name": client_name, "version": client_version },
	}
	if not token.is_empty():
		message.token = token
	return message
