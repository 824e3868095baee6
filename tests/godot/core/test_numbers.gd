extends Checks
## Decimal text of doubles, both ways, against what Python writes: bits in hex -> text.

const JsonParser := preload("res://addons/callsheet/core/json/json_parser.gd")
const Numbers := preload("res://addons/callsheet/core/json/numbers.gd")

var _python: Dictionary = JsonParser.new().parse(FileAccess.get_file_as_bytes("res://doubles/doubles.json"))


func test_the_shortest_text_that_reads_back() -> void:
	for bits: String in _python:
		equal(Numbers.shortest(bits.hex_decode().decode_double(0)), _python[bits], bits)


func test_the_nearest_double_of_a_text() -> void:
	for bits: String in _python:
		var read := PackedFloat64Array([Numbers.nearest(_python[bits])])
		equal(read.to_byte_array().hex_encode(), bits, _python[bits])
