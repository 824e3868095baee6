@tool
extends RefCounted
## Takes the frames of a connection in, and judges them one by one.

const Codec := preload("../messages/codec.gd")
const Heartbeat := preload("heartbeat.gd")
const Protocol := preload("../messages/protocol.gd")
const ResumePoint := preload("resume_point.gd")
const Transport := preload("../transport/transport.gd")
const Versions := preload("../messages/versions.gd")

## A frame brought a message, none that anybody needs, a hole in the reliable messages, or another major
## version.
enum Judgement { MESSAGE, NOTHING, HOLE, WRONG_VERSION }

## The message of the last frame.
var message := {}
## What was wrong with it; null if nothing.
var error: CallsheetError
## This connection brought a `welcome`.
var is_welcomed := false
## This connection brought an error that says why it closes.
var is_explained := false
## When a server that is about to stop wants to be asked again, s; 0 = it said nothing.
var reconnect_after_s := 0.0

var _codec: Codec
var _heartbeat: Heartbeat
var _resume: ResumePoint
var _capacity: int
var _frames: Array[PackedByteArray] = []
var _taken := 0


func _init(codec: Codec, heartbeat: Heartbeat, resume: ResumePoint, capacity: int) -> void:
	_codec = codec
	_heartbeat = heartbeat
	_resume = resume
	_capacity = capacity


## A new connection begins.
func restart() -> void:
	clear()
	is_welcomed = false
	is_explained = false
	reconnect_after_s = 0.0


## Frames that wait to be judged.
func backlog() -> int:
	return _frames.size() - _taken


func clear() -> void:
	_frames.clear()
	_taken = 0


## Take what came out of the transport, as far as there is room.
func fill(transport: Transport, now_s: float) -> void:
	if _taken > 0:
		_frames = _frames.slice(_taken)
		_taken = 0
	if backlog() >= _capacity:
		# Who does not read cannot call the other side silent.
		_heartbeat.heard(now_s)
	while transport.available() > 0 and backlog() < _capacity:
		var frame := transport.receive()
		_heartbeat.heard(now_s)
		# A binary frame, which the protocol does not have, is judged as text that is none.
		_frames.append(frame if transport.was_text() else PackedByteArray())


## Judge the oldest frame. Nothing that a server sends does more than leave an `error`.
func judge_next(now_s: float) -> Judgement:
	message = _codec.decode(_frames[_taken])
	error = _codec.error
	_taken += 1
	if _codec.seq > 0 and is_welcomed:
		var expected := _resume.received + 1
		match _resume.take(_codec.seq):
			ResumePoint.Arrival.AGAIN:
				error = null
				return Judgement.NOTHING
			ResumePoint.Arrival.HOLE:
				error = CallsheetError.new(
					"bad_message", "message %d is missing, %d came instead" % [expected, _codec.seq]
				)
				return Judgement.HOLE
	if error:
		# A newer server may say more than this client knows; that is no error.
		error = null if error.code == "unknown_type" else error
		return Judgement.NOTHING
	return _note(now_s)


## Take from a message what matters at once.
func _note(now_s: float) -> Judgement:
	match message.type:
		"pong":
			_heartbeat.pong(message.client_time_s, now_s, message.server_time_s)
			return Judgement.NOTHING
		"welcome":
			if is_welcomed:
				error = CallsheetError.new("bad_message", "the server sent a second welcome")
				return Judgement.NOTHING
			var mismatch := Versions.mismatch(message.protocol)
			if not mismatch.is_empty():
				is_explained = true
				error = CallsheetError.new("version_mismatch", mismatch)
				return Judgement.WRONG_VERSION
			is_welcomed = true
			_resume.begin(message, now_s)
		"error":
			# Said before it closes, this says why better than a close code could.
			is_explained = is_explained or message.code in Protocol.CLOSING
		"draining":
			reconnect_after_s = message.reconnect_after_s
	return Judgement.MESSAGE
