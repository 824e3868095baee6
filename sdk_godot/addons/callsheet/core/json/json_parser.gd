@tool
extends RefCounted
## Reads JSON text (RFC 8259), strictly: what is no JSON is refused, integers stay integers.
##
## Godot's own JSON class makes every number a float and takes more than JSON. A name that stands twice
## counts the last time. A NUL in a text, which Godot's strings cannot hold, reads as U+FFFD.

const Numbers := preload("numbers.gd")

const MAX_DEPTH := 128
## An integer of so many digits always fits into 64 bits.
const MAX_INTEGER_DIGITS := 18
const ESCAPED := {
	34: "\"", 47: "/", 92: "\\", 98: "\b", 102: "\f", 110: "\n", 114: "\r", 116: "\t"
}
const WORDS := { "true": true, "false": false, "null": null }
const HEX_DIGITS := "0123456789abcdefABCDEF"
const QUOTE := 34
const NEVER := 9223372036854775807

## What is wrong with the last text; empty = nothing.
var fault := ""

var _text := ""
var _codes := PackedInt32Array()
var _at := 0
var _next_backslash := 0
var _has_controls := false


## Read one value; null if the text is no JSON, see `fault`.
func parse(frame: PackedByteArray) -> Variant:
	fault = ""
	_text = frame.get_string_from_utf8()
	if _text.to_utf8_buffer() != frame:
		fault = "not UTF-8"
		return null
	_codes = _text.to_utf32_buffer().to_int32_array()
	_codes.append(0)
	_at = 0
	_next_backslash = -1
	_has_controls = _text.strip_escapes().length() < _text.length()
	_skip_space()
	var value: Variant = _value(0)
	_skip_space()
	if fault.is_empty() and _at < _codes.size() - 1:
		_refuse()
	return value if fault.is_empty() else null


func _value(depth: int) -> Variant:
	var code := _codes[_at]
	if code == QUOTE:
		return _string()
	if code == 123:
		return _object(depth + 1)
	if code == 91:
		return _array(depth + 1)
	if code == 45 or (code >= 48 and code <= 57):
		return _number()
	for word: String in WORDS:
		if _text.substr(_at, word.length()) == word:
			_at += word.length()
			return WORDS[word]
	return _refuse()


func _object(depth: int) -> Variant:
	var result := {}
	if depth > MAX_DEPTH:
		return _refuse()
	_at += 1
	_skip_space()
	if _codes[_at] == 125:
		_at += 1
		return result
	while true:
		if _codes[_at] != QUOTE:
			return _refuse()
		var key: Variant = _string()
		_skip_space()
		if _codes[_at] != 58:
			return _refuse()
		_at += 1
		_skip_space()
		result[key] = _value(depth)
		_skip_space()
		var code := _codes[_at]
		if not fault.is_empty() or (code != 44 and code != 125):
			return _refuse()
		_at += 1
		if code == 125:
			break
		_skip_space()
	return result


func _array(depth: int) -> Variant:
	var result := []
	if depth > MAX_DEPTH:
		return _refuse()
	_at += 1
	_skip_space()
	if _codes[_at] == 93:
		_at += 1
		return result
	while true:
		result.append(_value(depth))
		_skip_space()
		var code := _codes[_at]
		if not fault.is_empty() or (code != 44 and code != 93):
			return _refuse()
		_at += 1
		if code == 93:
			break
		_skip_space()
	return result


func _string() -> Variant:
	var start := _at + 1
	var end := _text.find("\"", start)
	if end < 0:
		return _refuse()
	if _next_backslash < start:
		_next_backslash = _text.find("\\", start)
		if _next_backslash < 0:
			_next_backslash = NEVER
	if end > _next_backslash:
		return _escaped(start)
	_at = end + 1
	return _raw(start, end)


func _escaped(start: int) -> Variant:
	var pieces := PackedStringArray()
	while true:
		var backslash := _text.find("\\", start)
		var end := _text.find("\"", start)
		if end < 0:
			return _refuse()
		if backslash < 0 or end < backslash:
			pieces.append(_raw(start, end))
			_at = end + 1
			return "".join(pieces)
		pieces.append(_raw(start, backslash))
		var code := _codes[backslash + 1]
		start = backslash + 2
		if ESCAPED.has(code):
			pieces.append(ESCAPED[code])
			continue
		var unit := _unit(backslash)
		start = backslash + 6
		if unit & 0xFC00 == 0xD800:
			var low := _unit(start)
			if low & 0xFC00 != 0xDC00:
				return _refuse()
			unit = 0x10000 + ((unit & 0x3FF) << 10) + (low & 0x3FF)
			start += 6
		elif unit < 0 or unit & 0xFC00 == 0xDC00:
			return _refuse()
		pieces.append(String.chr(unit if unit > 0 else 0xFFFD))
	return ""


## The text between two places, where control characters would have to be escaped.
func _raw(start: int, end: int) -> String:
	var text := _text.substr(start, end - start)
	if _has_controls and text.strip_escapes().length() < text.length():
		_refuse()
	return text


## The UTF-16 unit that is escaped at a place; -1 if none is.
func _unit(at: int) -> int:
	var escape := _text.substr(at, 6)
	var is_unit := escape.length() == 6 and escape.begins_with("\\u")
	var digits := escape.substr(2)
	return digits.hex_to_int() if is_unit and digits.lstrip(HEX_DIGITS).is_empty() else -1


func _number() -> Variant:
	var start := _at
	if _codes[_at] == 45:
		_at += 1
	var first := _at
	while _codes[_at] >= 48 and _codes[_at] <= 57:
		_at += 1
	var digits := _at - first
	if digits == 0 or (digits > 1 and _codes[first] == 48):
		return _refuse()
	var is_integer := true
	if _codes[_at] == 46:
		is_integer = false
		_at += 1
		if not _skip_digits():
			return _refuse()
	if _codes[_at] == 101 or _codes[_at] == 69:
		is_integer = false
		_at += 1
		if _codes[_at] == 43 or _codes[_at] == 45:
			_at += 1
		if not _skip_digits():
			return _refuse()
	var literal := _text.substr(start, _at - start)
	if is_integer and digits <= MAX_INTEGER_DIGITS:
		return literal.to_int()
	return Numbers.nearest(literal)


func _skip_digits() -> bool:
	var first := _at
	while _codes[_at] >= 48 and _codes[_at] <= 57:
		_at += 1
	return _at > first


func _skip_space() -> void:
	var code := _codes[_at]
	while code == 32 or code == 10 or code == 13 or code == 9:
		_at += 1
		code = _codes[_at]


func _refuse() -> Variant:
	if fault.is_empty():
		fault = "at character %d" % _at
	return null
