@tool
extends RefCounted
## Where a session can be taken up again, and which reliable messages came, were handled and acked.

## How a reliable message stands to those before it: the next one, one that came before, or one that
## leaves a hole.
enum Arrival { NEW, AGAIN, HOLE }

const ACK_EVERY := 32
const ACK_INTERVAL_S := 1.0

## The greatest number received in order.
var received := 0

var _session := ""
var _token := ""
var _handled := 0
var _acked := 0
var _acked_at_s := 0.0
var _had_hole := false


## True if there is a session to resume.
func exists() -> bool:
	return not _token.is_empty()


## What `hello` says of it.
func to_wire() -> Dictionary:
	return { "session": _session, "token": _token, "last_seq": received }


## The server opened or resumed a session.
func begin(welcome: Dictionary, now_s: float) -> void:
	_session = welcome.session
	_token = welcome.resume_token
	_acked_at_s = now_s
	if not welcome.resumed:
		received = 0
		_handled = 0
		_acked = 0


## The session is over.
func forget() -> void:
	_session = ""
	_token = ""


func take(seq: int) -> Arrival:
	if seq <= received:
		return Arrival.AGAIN
	if seq > received + 1:
		if _had_hole:
			# The replay has the same hole: this session cannot be continued.
			forget()
		_had_hole = true
		return Arrival.HOLE
	received = seq
	_had_hole = false
	return Arrival.NEW


func handled(seq: int) -> void:
	_handled = seq


## The number to ack now, which then counts as acked; 0 if none is due.
func due_ack(now_s: float) -> int:
	var is_due := _handled - _acked >= ACK_EVERY or now_s - _acked_at_s >= ACK_INTERVAL_S
	if _handled <= _acked or not is_due:
		return 0
	_acked = _handled
	_acked_at_s = now_s
	return _handled
