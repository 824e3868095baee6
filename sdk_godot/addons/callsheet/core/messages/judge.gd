@tool
extends RefCounted
## Holds the fields of messages to the rules of the protocol.

const Field := preload("field.gd")
const Parts := preload("parts.gd")
const Protocol := preload("protocol.gd")

const DIGITS := "0123456789"
const NAME_CHARS := "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_"
const ID_CHARS := NAME_CHARS + ".:-"
const SHOWN_CHARS := 80

## What is wrong, in words; empty = nothing.
var fault := ""
## Dotted path of the first field that is wrong.
var field := ""
## The value there, shortened.
var value := ""
## The limit that was passed; NAN = none.
var limit := NAN

var _is_strict := false


## Put the fields in order, with their types and defaults. Strict: a field that is not defined is a fault.
func read(values: Dictionary, fields: Array, is_strict: bool) -> Dictionary:
	fault = ""
	field = ""
	value = ""
	limit = NAN
	_is_strict = is_strict
	return _part(values, fields)


func _part(values: Dictionary, fields: Array) -> Dictionary:
	var result := {}
	for row: Array in fields:
		var field_name: String = row[0]
		var given: Variant = values.get(field_name)
		if given == null:
			if row[2] == Field.REQUIRED or (row[2] == Field.DEFAULT and values.has(field_name)):
				_refuse("is required", given)
			elif row[2] == Field.DEFAULT:
				result[field_name] = row[3].duplicate() if row[3] is Array else row[3]
		else:
			result[field_name] = _value(given, row)
		if not fault.is_empty():
			field = field_name if field.is_empty() else field_name + "." + field
			return result
	if _is_strict:
		_refuse_strangers(values, fields)
	return result


func _refuse_strangers(values: Dictionary, fields: Array) -> void:
	var known := { "type": true }
	for row: Array in fields:
		known[row[0]] = true
	for key: Variant in values:
		if not known.has(key):
			_refuse("is not defined", values[key])
			field = str(key).left(SHOWN_CHARS)
			return


func _value(given: Variant, row: Array) -> Variant:
	match row[1]:
		Field.Kind.TEXT:
			return _text(given, row[4], row[5], row[6])
		Field.Kind.INTEGER:
			return _integer(given, row[4], row[5])
		Field.Kind.REAL:
			return _real(given, row[4], row[5])
		Field.Kind.FLAG:
			if given is bool:
				return given
			return _refuse("must be true or false", given)
		Field.Kind.ENUM:
			if (given is String or given is StringName) and row[4].has(String(given)):
				return String(given)
			return _refuse("must be one of %s" % ", ".join(PackedStringArray(row[4])), given)
		Field.Kind.VECTOR:
			return _vector(given, row[4], row[5])
		Field.Kind.JSON:
			return _json(given)
		Field.Kind.PART:
			if given is Dictionary:
				return _part(given, Parts.FIELDS[row[4]])
			return _refuse("must be an object", given)
	return _list(given, row[4], row[5], row[6])


func _text(given: Variant, low: int, high: int, form: int) -> Variant:
	if not (given is String or given is StringName):
		return _refuse("must be a text", given)
	var text := String(given)
	if text.length() < low:
		return _refuse("must have at least %d characters" % low, given, low)
	if text.length() > high:
		return _refuse("must have at most %d characters" % high, given, high)
	if form != Field.Form.ANY and not _has_form(text, form):
		return _refuse("has characters that are not allowed there", given)
	return text


func _has_form(text: String, form: int) -> bool:
	match form:
		Field.Form.IDENTIFIER:
			return text.lstrip(NAME_CHARS).is_empty() and not text.left(1).is_valid_int()
		Field.Form.VERSION:
			var parts := text.split(".")
			return parts.size() == 2 and _is_number(parts[0]) and _is_number(parts[1])
	return text.lstrip(ID_CHARS).is_empty()


func _is_number(text: String) -> bool:
	return text.length() >= 1 and text.length() <= 5 and text.lstrip(DIGITS).is_empty()


func _integer(given: Variant, low: int, high: int) -> Variant:
	var number := 0
	if given is int:
		number = given
	elif given is float and given == floorf(given) and absf(given) <= Protocol.MAX_INTEGER:
		number = int(given)
	else:
		return _refuse("must be an integer", given)
	if number < low:
		return _refuse("must be at least %d" % low, given, low)
	if number > high:
		return _refuse("must be at most %d" % high, given, high)
	return number


func _real(given: Variant, low: float, high: float) -> Variant:
	if not (given is float or given is int) or not is_finite(given):
		return _refuse("must be a finite number", given)
	var number := float(given)
	if number < low:
		return _refuse("must be at least %s" % low, given, low)
	if number > high:
		return _refuse("must be at most %s" % high, given, high)
	return number


func _vector(given: Variant, low: float, high: float) -> Variant:
	if given is Vector3:
		given = [given.x, given.y, given.z]
	if not given is Array or given.size() != 3:
		_refuse("must be an array of three numbers", given)
		field = str(given.size()) if given is Array and given.size() < 3 else ""
		return null
	var numbers := []
	for i in 3:
		numbers.append(_real(given[i], low, high))
		if not fault.is_empty():
			field = str(i)
			return null
	return numbers


func _list(given: Variant, low: int, high: int, item: Array) -> Variant:
	if given is PackedStringArray:
		given = Array(given)
	if not given is Array:
		return _refuse("must be an array", given)
	if given.size() < low:
		return _refuse("must have at least %d items" % low, given, low)
	if given.size() > high:
		return _refuse("must have at most %d items" % high, given, high)
	var items := []
	for i: int in given.size():
		items.append(_value(given[i], item))
		if not fault.is_empty():
			field = str(i) if field.is_empty() else "%d.%s" % [i, field]
			return null
	return items


func _json(given: Variant) -> Variant:
	if not given is Dictionary:
		return _refuse("must be an object", given)
	var wrong := _not_portable(given, Protocol.MAX_JSON_DEPTH)
	return given if wrong.is_empty() else _refuse(wrong, given)


## Tell what other JSON libraries could not read in a value; empty = nothing.
func _not_portable(given: Variant, levels: int) -> String:
	match typeof(given):
		TYPE_NIL, TYPE_BOOL, TYPE_STRING:
			return ""
		TYPE_INT:
			var fits: bool = absi(given) <= Protocol.MAX_INTEGER
			return "" if fits else "may have integers up to %d only" % Protocol.MAX_INTEGER
		TYPE_FLOAT:
			return "" if is_finite(given) else "may have finite numbers only"
		TYPE_ARRAY, TYPE_DICTIONARY:
			if levels == 0:
				return "may be nested %d deep at most" % Protocol.MAX_JSON_DEPTH
			for key: Variant in given:
				if given is Dictionary and not key is String:
					return "may have texts as names only"
				var wrong := _not_portable(given[key] if given is Dictionary else key, levels - 1)
				if not wrong.is_empty():
					return wrong
			return ""
	return "may have JSON values only, not %s" % type_string(typeof(given))


func _refuse(what: String, given: Variant, passed := NAN) -> Variant:
	fault = what
	limit = passed
	if not (given is Array or given is Dictionary or given == null):
		var shown := str(given)
		value = shown if shown.length() <= SHOWN_CHARS else shown.left(SHOWN_CHARS - 3) + "..."
	return null
