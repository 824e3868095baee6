@tool
extends "transport.gd"
## A connection within the program, for tests: the other end is played by whoever holds it.

const ABNORMAL := 1006

## Where the client wanted to go.
var url := ""
## What the client sent, oldest first: texts as `String`, ticks as `PackedByteArray`.
var sent: Array = []
## False: the client's frames wait.
var takes_frames := true
## The code the client closed with; 0 = it did not.
var closed_with := 0
var was_aborted := false

var _state := State.OPENING
var _code := ABNORMAL
var _reason := ""
var _frames: Array[PackedByteArray] = []
var _texts: Array[bool] = []
var _was_text := true


## The server takes the connection.
func accept() -> void:
	_state = State.OPEN


## The server sends a frame.
func deliver(frame: PackedByteArray, is_text := true) -> void:
	_frames.append(frame)
	_texts.append(is_text)


## The server closes, or the connection breaks.
func drop(code := ABNORMAL, reason := "") -> void:
	_state = State.CLOSED
	_code = code
	_reason = reason


func open(to_url: String) -> void:
	url = to_url


func state() -> State:
	return _state


func close_code() -> int:
	return _code


func close_reason() -> String:
	return _reason


func can_send() -> bool:
	return _state == State.OPEN and takes_frames


func send(frame: PackedByteArray, is_text: bool) -> void:
	if is_text:
		sent.append(frame.get_string_from_utf8())
	else:
		sent.append(frame)


func available() -> int:
	return _frames.size()


func receive() -> PackedByteArray:
	_was_text = _texts.pop_front()
	return _frames.pop_front()


func was_text() -> bool:
	return _was_text


func close(code: int) -> void:
	closed_with = code


func abort() -> void:
	was_aborted = true
	_state = State.CLOSED
