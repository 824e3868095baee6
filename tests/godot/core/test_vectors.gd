extends Checks
## The golden vectors, both ways: a client's codec, and one with its tables turned round as a server's.

const ClientMessages := preload("res://addons/callsheet/core/messages/client_messages.gd")
const Codec := preload("res://addons/callsheet/core/messages/codec.gd")
const JsonParser := preload("res://addons/callsheet/core/json/json_parser.gd")
const JsonWriter := preload("res://addons/callsheet/core/json/json_writer.gd")
const ServerMessages := preload("res://addons/callsheet/core/messages/server_messages.gd")

const FOLDER := "res://vectors"

var _replayed := 0


func test_valid_texts_are_read_and_written_byte_for_byte() -> void:
	_each("valid", _replay_valid)


func test_lenient_texts_mean_the_same() -> void:
	_each("lenient", _replay_lenient)


func test_invalid_texts_are_refused() -> void:
	_each("invalid", _replay_invalid)
	print("vectors replayed: ", _replayed)


func _replay_valid(vector: Dictionary, reader: Codec, writer: Codec, label: String) -> void:
	var frame := _frame(vector)
	var message := reader.decode(frame)
	check(reader.error == null, "%s: %s" % [label, reader.error])
	_compare(message, vector, label)
	check(writer.encode(message) == frame, "%s: written as %s" % [label, _written(writer, message)])
	if vector.has("object"):
		check(writer.encode(vector.object) == frame, "%s: the object is written otherwise" % label)


func _replay_lenient(vector: Dictionary, reader: Codec, _writer: Codec, label: String) -> void:
	var message := reader.decode(_frame(vector))
	check(reader.error == null, "%s: %s" % [label, reader.error])
	_compare(message, vector, label)


## What a server refuses is not sent by a client either.
func _replay_invalid(vector: Dictionary, reader: Codec, writer: Codec, label: String) -> void:
	var frame := _frame(vector)
	var is_from_server: bool = vector.get("direction") != "client"
	if is_from_server or vector.code != "bad_message":
		check(reader.decode(frame).is_empty(), "%s: was taken" % label)
		_compare_error(reader, vector, label)
		return
	var values: Variant = JsonParser.new().parse(frame)
	if values is Dictionary:
		check(writer.encode(values).is_empty(), "%s: was written" % label)
		_compare_error(writer, vector, label)


func _compare_error(codec: Codec, vector: Dictionary, label: String) -> void:
	if vector.get("not_json", false) and codec.error.code == "bad_json":
		return
	equal(codec.error.code, vector.code, label)
	equal(codec.error.field, vector.field if vector.field != null else "", label)


func _compare(message: Dictionary, vector: Dictionary, label: String) -> void:
	if not vector.has("object"):
		return
	var same := _is_same(message, vector.object)
	check(same, "%s: read as %s" % [label, JsonWriter.new().write(message)])


## Compare by meaning: numbers as numbers, but an integer is never a float.
func _is_same(found: Variant, expected: Variant) -> bool:
	if found is Dictionary and expected is Dictionary:
		var same: bool = found.size() == expected.size()
		for key: String in found:
			same = same and expected.has(key) and _is_same(found[key], expected[key])
		return same
	if found is Array and expected is Array:
		var same: bool = found.size() == expected.size()
		for i: int in found.size():
			same = same and _is_same(found[i], expected[i])
		return same
	if found is float and expected is int:
		return found == float(expected)
	return typeof(found) == typeof(expected) and found == expected


func _each(group: String, replay: Callable) -> void:
	for path in DirAccess.get_files_at(FOLDER):
		if not path.ends_with(".json") or path == "tick_binary.json":
			continue
		var file: Dictionary = JsonParser.new().parse(FileAccess.get_file_as_bytes(FOLDER + "/" + path))
		var is_client: bool = file.direction == "client"
		var written := ClientMessages.FIELDS if is_client else ServerMessages.FIELDS
		var read := ServerMessages.FIELDS if is_client else ClientMessages.FIELDS
		var reader := Codec.new(read, written)
		var writer := Codec.new(written, read)
		for vector: Dictionary in file.get(group, []):
			vector.direction = file.direction
			replay.call(vector, reader, writer, "%s: %s" % [path, vector.name])
			_replayed += 1


static func _written(writer: Codec, message: Dictionary) -> String:
	return writer.encode(message).get_string_from_utf8()


static func _frame(vector: Dictionary) -> PackedByteArray:
	if vector.has("hex"):
		return String(vector.hex).hex_decode()
	var text: String = vector.json
	if vector.has("fill"):
		var fill: Dictionary = vector.fill
		text = text.replace(fill.mark, String(fill.text).repeat(fill.times))
	return text.to_utf8_buffer()
