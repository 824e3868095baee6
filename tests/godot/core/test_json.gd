extends Checks
## Corners of JSON, and the files of the parser's own promises.

const ClientMessages := preload("res://addons/callsheet/core/messages/client_messages.gd")
const Codec := preload("res://addons/callsheet/core/messages/codec.gd")
const JsonParser := preload("res://addons/callsheet/core/json/json_parser.gd")
const JsonWriter := preload("res://addons/callsheet/core/json/json_writer.gd")
const ServerMessages := preload("res://addons/callsheet/core/messages/server_messages.gd")


func test_integers_stay_integers_to_the_bounds_of_64_bits() -> void:
	_reads("21", 21)
	_reads("-0", 0)
	_reads("21.0", 21.0)
	_reads("2e1", 20.0)
	_reads("999999999999999999", 999999999999999999)
	_reads("-999999999999999999", -999999999999999999)
	_reads("9223372036854775807", 9223372036854775807.0)
	_reads("9223372036854775808", 9223372036854775808.0)
	_reads("1" + "0".repeat(300), "9c7500883ce4377e".hex_decode().decode_double(0))
	equal(_write([21, 21.0, -5, 9007199254740991]), "[21,21.0,-5,9007199254740991]")


func test_numbers_beyond_doubles() -> void:
	_reads("1e400", INF)
	_reads("-1e400", -INF)
	_reads("1e-400", 0.0)
	_reads("1e99999999999999999999", INF)
	_reads("0e99999999999999999999", 0.0)


func test_texts_and_escapes() -> void:
	_reads("\"\\ud83d\\ude42 \\u00e9 \\/ \\\" \\\\ \\b\\f\\n\\r\\t\"", "🙂 é / \" \\ \b\f\n\r\t")
	_reads("\"\\u0000\"", "\uFFFD")
	equal(_write("\u0001\u001f\b\t\n\f\r\"\\/é🙂"), "\"\\u0001\\u001f\\b\\t\\n\\f\\r\\\"\\\\/é🙂\"")


func test_lone_surrogates_are_refused() -> void:
	for text: String in ["\\ud83d", "\\ude42", "\\ud83dx", "\\ud83d\\n", "\\ud83d\\ud83d", "\\ude42\\ud83d"]:
		_refuses("\"%s\"" % text)


## The engine puts U+FFFD where half of a surrogate pair would stand in a text: none can be sent.
func test_half_of_a_character_is_written_as_its_replacement() -> void:
	for half: int in [0xD83D, 0xDE42]:
		equal(_write({ "text": "a" + String.chr(half) + "b" }), "{\"text\":\"a\uFFFDb\"}")
		var frame := Codec.new().encode({ "type": "speak", "id": 1, "npc": "bob", "text": String.chr(half) })
		var read := Codec.new(ServerMessages.FIELDS, ClientMessages.FIELDS).decode(frame)
		equal(read.text, "\uFFFD")


func test_what_is_no_json_is_refused() -> void:
	for text: String in [
		"", " ", "nul", "nulll", "tru", "+1", "01", "-", "1.", ".5", "1e", "1e+", "0x1", "NaN", "Infinity",
		"'a'", "\"", "\"a", "\"\\", "\"\\u12", "\"\\u+123\"", "\"\\x\"", "\"a\nb\"", "\"\\n\n\"", "[", "[1", "[1,", "[1,]",
		"[1 2]", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,}", "{a:1}", "{\"a\" 1}", "{,}", "1 2", "[]]", "//", "\uFEFF1",
	]:
		_refuses(text)


func test_depth_is_bounded() -> void:
	_refuses("[".repeat(100000))
	_refuses("{\"a\":".repeat(1000))
	_refuses("[".repeat(129) + "]".repeat(129))
	check(_parse("[".repeat(128) + "]".repeat(128)) is Array, "128 levels are read")


func test_a_name_that_stands_twice_counts_the_last_time() -> void:
	equal(_parse("{\"a\":1,\"a\":2}"), { "a": 2 })


func test_space_between_everything() -> void:
	equal(_parse(" {\t\"a\" :\r\n[ 1 , { } , [ ] , null , true , false ] } "), { "a": [1, {}, [], null, true, false] })


func _reads(text: String, expected: Variant) -> void:
	equal(_parse(text), expected, text.left(40))


func _refuses(text: String) -> void:
	var parser := JsonParser.new()
	var value: Variant = parser.parse(text.to_utf8_buffer())
	check(value == null and not parser.fault.is_empty(), "%s was taken" % text.left(40))


static func _parse(text: String) -> Variant:
	return JsonParser.new().parse(text.to_utf8_buffer())


static func _write(value: Variant) -> String:
	return JsonWriter.new().write(value)
