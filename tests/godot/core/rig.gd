extends RefCounted
## A session with a clock and a server that tests play by hand.

const ClientMessages := preload("res://addons/callsheet/core/messages/client_messages.gd")
const Codec := preload("res://addons/callsheet/core/messages/codec.gd")
const MemoryTransport := preload("res://addons/callsheet/core/transport/memory_transport.gd")
const ServerMessages := preload("res://addons/callsheet/core/messages/server_messages.gd")
const Session := preload("res://addons/callsheet/core/client/session.gd")
const SessionOptions := preload("res://addons/callsheet/core/client/session_options.gd")

const LIMITS := {
	"max_message_bytes": 1048576, "max_tick_bytes": 4194304, "max_npcs_per_world": 50000,
	"max_npcs_per_spawn": 600, "max_players_per_world": 64, "max_open_requests": 256,
	"max_messages_per_s": 500.0, "max_ticks_per_s": 240.0,
}
const ENGINE := {
	"name": "scripted", "version": "1", "model": "", "device": "cpu",
	"context_limit_tokens": 4096, "keeps_residency": false,
}

var options := SessionOptions.new()
var session: Session
var now_s := 100.0
## The connections that the session made, the newest last.
var connections: Array[MemoryTransport] = []
var states: Array[int] = []
var errors: Array[CallsheetError] = []
var received: Array[Dictionary] = []
var welcomes: Array[Dictionary] = []
var warnings: Array[String] = []
## What the server's `welcome` says.
var server_protocol := "1.4"
var limits := LIMITS.duplicate()
var last_seq := 0

var _server := Codec.new(ServerMessages.FIELDS, ClientMessages.FIELDS)
var _seen := 0


func _init() -> void:
	session = Session.new(options, new_connection)
	session.state_changed.connect(func(_old: int, new: int) -> void: states.append(new))
	session.error_raised.connect(errors.append)
	session.received.connect(received.append)
	session.opened.connect(welcomes.append)
	session.version_warning.connect(warnings.append)


## Make the transport of the next connection.
func new_connection() -> MemoryTransport:
	connections.append(MemoryTransport.new())
	_seen = 0
	return connections.back()


func line() -> MemoryTransport:
	return connections.back()


func step(by_s := 0.02) -> void:
	now_s += by_s
	session.tick(now_s)


## Start the session and take it to where it waits for `welcome`.
func greeting() -> Dictionary:
	if session.state == Session.State.STOPPED or session.state == Session.State.FAILED:
		session.start()
	while session.state == Session.State.WAITING:
		# A server that is about to stop may have asked to be left alone for ages.
		step(maxf(0.5, session.next_attempt_s - now_s))
	line().accept()
	step()
	return next("hello")


## Take the session to where it is open.
func open(resumed := false, last_request_id := 0) -> Dictionary:
	var hello := greeting()
	welcome(resumed, last_request_id)
	step()
	return hello


func welcome(resumed := false, last_request_id := 0) -> void:
	if not resumed:
		last_seq = 0
	say({
		"type": "welcome", "protocol": server_protocol, "session": "s1",
		"resume_token": "token%d" % connections.size(), "resumed": resumed,
		"last_request_id": last_request_id, "world": options.world, "role": options.role,
		"limits": limits, "heartbeat_interval_s": 5.0, "resume_grace_s": 60.0,
		"server_version": "0", "server_time_s": 7.0, "engine": ENGINE,
	})


## The server sends a message.
func say(message: Dictionary) -> void:
	line().deliver(_server.encode(message))
	if _server.error:
		errors.append(_server.error)


## The server sends a reliable message, with the next number.
func tell(message: Dictionary) -> void:
	last_seq += 1
	var numbered := message.duplicate()
	numbered.seq = last_seq
	say(numbered)


## The next message of that type that the client sent in this connection; empty if there is none.
func next(type: String) -> Dictionary:
	while _seen < line().sent.size():
		var frame: Variant = line().sent[_seen]
		_seen += 1
		if frame is String:
			var message := _server.decode(frame.to_utf8_buffer())
			if message.get("type") == type:
				return message
	return {}


## Types of what the client sent in this connection; `binary` for a tick.
func sent_types() -> Array[String]:
	var types: Array[String] = []
	for frame: Variant in line().sent:
		if frame is String:
			types.append(_server.decode(frame.to_utf8_buffer()).get("type", "refused"))
		else:
			types.append("binary")
	return types
