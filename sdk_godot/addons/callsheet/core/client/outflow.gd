@tool
extends RefCounted
## Writes what goes out, and keeps to the server's rates: messages, requests by their ids, ticks.

const Codec := preload("../messages/codec.gd")
const Outbox := preload("outbox.gd")
const RateLimit := preload("rate_limit.gd")
const RequestLedger := preload("request_ledger.gd")

var box := Outbox.new()
var ledger := RequestLedger.new()

var _codec: Codec
var _rate := RateLimit.new()


func _init(codec: Codec) -> void:
	_codec = codec


## A session is open: what waited goes on if it was resumed, behind the requests that the server has not
## taken. Return how many messages are lost that should have survived.
func begin(welcome: Dictionary, now_s: float) -> int:
	_rate.start(now_s, welcome.limits.max_messages_per_s)
	if not welcome.resumed:
		return box.clear()
	var again: Array[PackedByteArray] = []
	for request in ledger.sent_after(welcome.last_request_id):
		again.append(_codec.write(request))
		_rate.spend()
	box.put_before(again)
	return 0


## Queue a message that follows the protocol; what survives outlives a lost connection.
func write(message: Dictionary, survives := false) -> void:
	box.add_text(_codec.write(message), survives)
	_rate.spend()


## Send the requests that wait, as far as the server's limits allow.
func send_requests(now_s: float, most_open: int) -> void:
	while ledger.has_waiting() and ledger.open_count() < most_open and _rate.allows(now_s):
		var entry := ledger.take_next()
		write(entry.message)
		if entry.handler:
			entry.handler.on_sent(entry.message.id)


## Tell the handlers of requests that no answer will come: of all, or of those that were sent.
func fail_requests(why: String, all: bool) -> void:
	for entry in ledger.drop(all):
		if entry.handler:
			entry.handler.on_failed(CallsheetError.new(CallsheetError.SESSION_LOST, why))
