@tool
extends RefCounted
## Requests that wait to be sent, and those sent that are not answered yet.

const RequestHandler := preload("request_handler.gd")


class Entry:
	var message: Dictionary
	var handler: RequestHandler

	func _init(request: Dictionary, told: RequestHandler) -> void:
		message = request
		handler = told


var _first: Array[Entry] = []
var _waiting: Array[Entry] = []
## In the order of their ids.
var _open := {}
var _last_id := 0


## Requests that are sent and not answered.
func open_count() -> int:
	return _open.size()


func has_waiting() -> bool:
	return not (_first.is_empty() and _waiting.is_empty())


## What goes first goes before all that wait and are not themselves first.
func add(message: Dictionary, handler: RequestHandler, first: bool) -> void:
	(_first if first else _waiting).append(Entry.new(message, handler))


## Take a handler's waiting request back; false if it is not waiting (any more).
func withdraw(handler: RequestHandler) -> bool:
	for i in _waiting.size():
		if _waiting[i].handler == handler:
			_waiting.remove_at(i)
			return true
	return false


## Give the oldest waiting request its id and count it as sent.
func take_next() -> Entry:
	var entry: Entry = (_first if not _first.is_empty() else _waiting).pop_front()
	_last_id += 1
	entry.message.id = _last_id
	_open[_last_id] = entry
	return entry


## Requests that the server has not taken, in the order of their ids.
func sent_after(last_taken_id: int) -> Array[Dictionary]:
	var found: Array[Dictionary] = []
	for id: int in _open:
		if id > last_taken_id:
			found.append(_open[id].message)
	return found


## The handler of an open request; null if there is none.
func find(id: int) -> RequestHandler:
	return _open[id].handler if _open.has(id) else null


## The request is answered.
func close(id: int) -> void:
	_open.erase(id)


## Forget the sent requests (and, if all, those that wait), a new session counts anew; return them.
func drop(all: bool) -> Array[Entry]:
	var dropped: Array[Entry] = []
	dropped.assign(_open.values())
	# What goes first sets up one session; the next is set up anew.
	dropped.append_array(_first)
	_open.clear()
	_first.clear()
	if all:
		dropped.append_array(_waiting)
		_waiting.clear()
	return dropped
