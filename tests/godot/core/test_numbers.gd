extends Checks
## Decimal text of doubles, both ways.

const Numbers := preload("res://addons/callsheet/core/json/numbers.gd")
const JsonParser := preload("res://addons/callsheet/core/json/json_parser.gd")
const JsonWriter := preload("res://addons/callsheet/core/json/json_writer.gd")

## Texts of doubles as Python writes them, in the protocol's form, each with its bits.
const PYTHON := preload("res://core/doubles.gd").DOUBLES


func test_shortest_texts_are_those_of_python() -> void:
	for bits: String in PYTHON:
		equal(Numbers.shortest(_double(bits)), PYTHON[bits], bits)


func test_texts_read_as_the_doubles_of_python() -> void:
	for bits: String in PYTHON:
		var read := Numbers.nearest(PYTHON[bits])
		equal(PackedFloat64Array([read]).to_byte_array().hex_encode(), bits, PYTHON[bits])


static func _double(bits: String) -> float:
	return bits.hex_decode().decode_double(0)
