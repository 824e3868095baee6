@tool
extends RefCounted
## Text frames <-> messages, by the tables of a client.

const ClientMessages := preload("client_messages.gd")
const Judge := preload("judge.gd")
const JsonParser := preload("../json/json_parser.gd")
const JsonWriter := preload("../json/json_writer.gd")
const Protocol := preload("protocol.gd")
const ServerMessages := preload("server_messages.gd")

## Why the last frame or message was refused; null if it was not.
var error: CallsheetError
## The `seq` of the last frame, even if the rest of it is wrong; 0 if it has none.
var seq := 0

var _written: Dictionary
var _read: Dictionary
var _judge := Judge.new()
var _parser := JsonParser.new()
var _writer := JsonWriter.new()


## The tables of what is written and of what is read; a server has them the other way round.
func _init(
	written: Dictionary = ClientMessages.FIELDS, read: Dictionary = ServerMessages.FIELDS
) -> void:
	_written = written
	_read = read


## Put a message in order, to be written later; empty if it breaks a rule, see `error`.
func judge(message: Dictionary) -> Dictionary:
	error = null
	return _judged(message, _written, true)


## The same of a request whose number is not known yet.
func judge_request(message: Dictionary) -> Dictionary:
	var numbered := message.duplicate()
	numbered.id = 1
	return judge(numbered)


## Write a judged message as canonical JSON.
func write(judged: Dictionary) -> PackedByteArray:
	return _writer.write(judged).to_utf8_buffer()


## Judge and write a message; empty if it breaks a rule, see `error`.
func encode(message: Dictionary) -> PackedByteArray:
	var judged := judge(message)
	return PackedByteArray() if error else write(judged)


## Read a message, with its defaults; empty if it is refused, see `error`.
func decode(frame: PackedByteArray) -> Dictionary:
	error = null
	seq = 0
	var values: Variant = _parser.parse(frame)
	if not _parser.fault.is_empty():
		error = CallsheetError.new("bad_json", "not valid JSON: %s" % _parser.fault)
		return {}
	if not values is Dictionary or not values.get("type") is String:
		error = CallsheetError.new(
			"bad_message", "every message is a JSON object with a string field 'type'"
		)
		error.field = "type" if values is Dictionary else ""
		return {}
	seq = _serial(values.get("seq"))
	return _judged(values, _read, false)


func _judged(message: Dictionary, tables: Dictionary, is_strict: bool) -> Dictionary:
	var type := str(message.get("type"))
	if not tables.has(type):
		var shown := type.left(Judge.SHOWN_CHARS)
		error = CallsheetError.new("unknown_type", "there is no message type '%s'" % shown)
		error.field = "type"
		error.value = shown
		return {}
	var judged := { "type": type }
	judged.merge(_judge.read(message, tables[type], is_strict))
	if _judge.fault.is_empty():
		return judged
	error = CallsheetError.new("bad_message", "%s.%s %s" % [type, _judge.field, _judge.fault])
	error.field = _judge.field
	error.value = _judge.value
	error.limit = _judge.limit
	return {}


func _serial(given: Variant) -> int:
	if not (given is int or given is float) or not given == floorf(given):
		return 0
	return int(given) if given > 0 and given <= Protocol.MAX_INTEGER else 0
