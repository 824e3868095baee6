@tool
extends RefCounted
## One connection, used once and polled by the session that ticks. No method blocks or calls back.

enum State { OPENING, OPEN, CLOSED }


## Begin to connect.
func open(_url: String) -> void:
	pass


## Let the connection work; called before anything else in a tick.
func poll() -> void:
	pass


## Closed is final. Frames that came before the close can still be taken out.
func state() -> State:
	return State.CLOSED


## The code of the peer's close frame; 1006 if the connection ended without one.
func close_code() -> int:
	return 1006


## Why the connection ended, for a log.
func close_reason() -> String:
	return ""


## True if the connection is open and little waits in it.
func can_send() -> bool:
	return false


func send(_frame: PackedByteArray, _is_text: bool) -> void:
	pass


## Frames that came and were not taken out.
func available() -> int:
	return 0


## Take the oldest frame out.
func receive() -> PackedByteArray:
	return PackedByteArray()


## True if the frame taken out last was text.
func was_text() -> bool:
	return true


## Begin the closing handshake; the state turns closed when the peer answers.
func close(_code: int) -> void:
	pass


## Drop the connection at once.
func abort() -> void:
	pass
