@tool
extends RefCounted
## Writes values as JSON: without whitespace, names in their order, the shortest numbers that read back.

const Numbers := preload("numbers.gd")

var _out := PackedStringArray()


## Write null, bool, int, float, String, Array or Dictionary, and what of these is inside.
func write(value: Variant) -> String:
	_out.clear()
	_value(value)
	return "".join(_out)


func _value(value: Variant) -> void:
	match typeof(value):
		TYPE_STRING:
			_out.append(_quoted(value))
		TYPE_INT, TYPE_BOOL:
			_out.append(str(value))
		TYPE_FLOAT:
			_out.append(Numbers.shortest(value))
		TYPE_DICTIONARY:
			var separator := "{"
			for key: String in value:
				_out.append(separator)
				_out.append(_quoted(key))
				_out.append(":")
				_value(value[key])
				separator = ","
			_out.append("{}" if value.is_empty() else "}")
		TYPE_ARRAY:
			var separator := "["
			for item: Variant in value:
				_out.append(separator)
				_value(item)
				separator = ","
			_out.append("[]" if value.is_empty() else "]")
		_:
			_out.append("null")


static func _quoted(text: String) -> String:
	if text.contains("\\"):
		text = text.replace("\\", "\\\\")
	if text.contains("\""):
		text = text.replace("\"", "\\\"")
	if text.strip_escapes().length() < text.length():
		text = _without_controls(text)
	return "\"" + text + "\""


static func _without_controls(text: String) -> String:
	const NAMED := { 8: "\\b", 9: "\\t", 10: "\\n", 12: "\\f", 13: "\\r" }
	for code in range(1, 32):
		text = text.replace(String.chr(code), NAMED.get(code, "\\u%04x" % code))
	return text
