@tool
extends RefCounted
## Every frame on its way out, in one first-in-first-out queue.

const Transport := preload("../transport/transport.gd")


class Item:
	var frame: PackedByteArray
	var is_text: bool
	var survives: bool

	func _init(bytes: PackedByteArray, text: bool, kept: bool) -> void:
		frame = bytes
		is_text = text
		survives = kept


## Ticks that still wait here.
var ticks := 0

var _items: Array[Item] = []


## True if everything was handed to the transport.
func is_empty() -> bool:
	return _items.is_empty()


## Queue a message. What survives is still to be sent if the connection breaks and the session is resumed.
func add_text(frame: PackedByteArray, survives: bool) -> void:
	_items.append(Item.new(frame, true, survives))


## Queue a tick.
func add_tick(frame: PackedByteArray) -> void:
	_items.append(Item.new(frame, false, false))
	ticks += 1


## Hand over as many frames as the transport takes.
func pump(transport: Transport) -> void:
	var sent := 0
	while sent < _items.size() and transport.can_send():
		var item := _items[sent]
		sent += 1
		ticks -= 0 if item.is_text else 1
		transport.send(item.frame, item.is_text)
	if sent > 0:
		_items = _items.slice(sent)


## The connection broke: keep what survives, in order.
func keep_survivors() -> void:
	_items = _items.filter(func(item: Item) -> bool: return item.survives)
	ticks = 0


## Forget everything; return how many frames that should have survived are lost.
func clear() -> int:
	keep_survivors()
	var lost := _items.size()
	_items.clear()
	return lost


## Put messages before all that is queued.
func put_before(frames: Array[PackedByteArray]) -> void:
	var behind := _items
	_items = []
	for frame in frames:
		add_text(frame, false)
	_items.append_array(behind)
