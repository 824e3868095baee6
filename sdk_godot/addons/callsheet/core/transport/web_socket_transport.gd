@tool
extends "transport.gd"
## A WebSocket of Godot's own, on every platform.

const Protocol := preload("../messages/protocol.gd")

## The server's frames are below 64 KiB, but for `spawned`; what comes between two frames of the game waits here.
const INBOUND_BYTES := 4 << 20
## A keyframe of 50,000 NPCs fits.
const OUTBOUND_BYTES := 4 << 20
const MAX_PACKETS := 8192
## More than this on its way: what is next waits.
const HIGH_WATER_BYTES := 64 << 10
const ABNORMAL := 1006

var _peer := WebSocketPeer.new()
var _refusal := ""


func open(url: String) -> void:
	_peer.supported_protocols = PackedStringArray([Protocol.SUBPROTOCOL])
	_peer.inbound_buffer_size = INBOUND_BYTES
	_peer.outbound_buffer_size = OUTBOUND_BYTES
	_peer.max_queued_packets = MAX_PACKETS
	var result := _peer.connect_to_url(url)
	if result != OK:
		_refusal = "%s: %s" % [url, error_string(result)]


func poll() -> void:
	_peer.poll()


func state() -> State:
	match _peer.get_ready_state():
		WebSocketPeer.STATE_CONNECTING:
			return State.OPENING
		WebSocketPeer.STATE_CLOSED:
			return State.CLOSED
	return State.OPEN


func close_code() -> int:
	var code := _peer.get_close_code()
	return code if code > 0 else ABNORMAL


func close_reason() -> String:
	return _refusal if not _refusal.is_empty() else _peer.get_close_reason()


func can_send() -> bool:
	return (
		_peer.get_ready_state() == WebSocketPeer.STATE_OPEN
		and _peer.get_current_outbound_buffered_amount() < HIGH_WATER_BYTES
	)


func send(frame: PackedByteArray, is_text: bool) -> void:
	_peer.send(frame, WebSocketPeer.WRITE_MODE_TEXT if is_text else WebSocketPeer.WRITE_MODE_BINARY)


func available() -> int:
	return _peer.get_available_packet_count()


func receive() -> PackedByteArray:
	return _peer.get_packet()


func was_text() -> bool:
	return _peer.was_string_packet()


func close(code: int) -> void:
	_peer.close(code)


func abort() -> void:
	_peer.close(-1)
