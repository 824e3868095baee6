## A parameter of a method that an NPC may call: its JSON schema, and arguments made fit for it.

const JSON_TYPES := {
	TYPE_STRING: "string",
	TYPE_STRING_NAME: "string",
	TYPE_BOOL: "boolean",
	TYPE_INT: "integer",
	TYPE_FLOAT: "number",
	TYPE_NIL: "",
	TYPE_DICTIONARY: "object",
	TYPE_ARRAY: "array",
}
## Types that an argument may have; TYPE_NIL is a parameter without a type.

var name: String

## True: no argument stands for it; the method is given the action itself.
var is_action: bool

## True: the argument may be missing, and [member default] stands for it.
var is_optional := false
var default: Variant = null

var _type: Variant.Type
## What it may be: values, or names of an enum.
var _choices: Array = []
var _has_choices := false
## Of an enum: names -> numbers.
var _enum: Dictionary = {}
var _minimum: Variant = null
var _maximum: Variant = null


## [param info] is of [method Object.get_method_list]. [param allowed] narrows it: an array of texts, an
## enum, or the smallest and the greatest number.
func _init(info: Dictionary, allowed: Variant) -> void:
	name = info.name
	_type = info.type
	is_action = info.get("class_name", &"") == &"CallsheetAction"
	if allowed is Dictionary:
		_enum = allowed
		_choices = _enum.keys()
		_has_choices = true
	elif (allowed is Array or allowed is PackedStringArray) and _is_number():
		if allowed.size() == 2:
			_minimum = allowed[0]
			_maximum = allowed[1]
	elif allowed is Array or allowed is PackedStringArray:
		_choices = Array(allowed)
		_has_choices = true


## Why no argument can stand for it; empty if one can.
func fault() -> String:
	if is_action or JSON_TYPES.has(_type):
		return ""
	return "%s: a %s is nothing that a model can name" % [name, type_string(_type)]


## Nothing is there that it could name now.
func is_nameless() -> bool:
	return _has_choices and _choices.is_empty()


## Its names are texts: `found.type` would make them StringNames, which are no JSON.
func schema() -> Dictionary:
	var found := {}
	var json_type: String = "string" if _enum else JSON_TYPES[_type]
	if json_type:
		found["type"] = json_type
	if _has_choices:
		found["enum"] = _choices
	if _minimum != null:
		found["minimum"] = _minimum
		found["maximum"] = _maximum
	return found


## Whether a value may stand for it.
func takes(value: Variant) -> bool:
	if _has_choices:
		return (value is String or value is StringName) and _choices.has(str(value))
	if _is_number():
		var is_whole: bool = value is int or (value is float and value == floorf(value))
		if not (is_whole or (value is float and _type == TYPE_FLOAT)):
			return false
		return _minimum == null or (value >= _minimum and value <= _maximum)
	if _type == TYPE_STRING_NAME:
		return value is String
	return _type == TYPE_NIL or typeof(value) == _type


## A value that it takes, as the method has it.
func convert_value(value: Variant) -> Variant:
	if _enum:
		return _enum[value]
	return value if _type == TYPE_NIL else type_convert(value, _type)


## What it takes, in words.
func describe() -> String:
	if _has_choices:
		return "one of " + ", ".join(PackedStringArray(_choices))
	var words: String = JSON_TYPES[_type] if JSON_TYPES[_type] else "any value"
	if _minimum != null:
		words += " from %s to %s" % [_minimum, _maximum]
	return words


func _is_number() -> bool:
	return _type == TYPE_INT or _type == TYPE_FLOAT
