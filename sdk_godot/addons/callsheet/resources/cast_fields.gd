## Reads the objects of a cast file by tables; docs/characters.md has the format.

enum Kind { TEXT, NUMBER, INTEGER, FLAG, TEXTS, OBJECT, TEXT_BY_NAME, PARTS }

## Name of a field -> its kind, what holds where it is missing or null, and the table of its parts. A field
## without the second must be there.
const ENTRY := {
	"content": [Kind.TEXT],
	"keys": [Kind.TEXTS, []],
	"secondary_keys": [Kind.TEXTS, []],
	"logic": [Kind.TEXT, "any"],
	"constant": [Kind.FLAG, false],
	"order": [Kind.NUMBER, 100],
	"probability": [Kind.NUMBER, 1.0],
	"case_sensitive": [Kind.FLAG, false],
	"name": [Kind.TEXT, ""],
	"extras": [Kind.OBJECT, {}],
}
const SECTION := { "kind": [Kind.TEXT], "text": [Kind.TEXT] }
const NPC := {
	"npc": [Kind.TEXT],
	"name": [Kind.TEXT],
	"persona": [Kind.TEXT, ""],
	"source": [Kind.TEXT, ""],
	"format": [Kind.TEXT, ""],
	"tokens": [Kind.INTEGER, 0],
	"archetype": [Kind.TEXT, null],
	"sociability": [Kind.NUMBER, 0.0],
	"facts": [Kind.OBJECT, {}],
	"greetings": [Kind.TEXTS, []],
	"group_greetings": [Kind.TEXTS, []],
	"material": [Kind.TEXT, ""],
	"lorebook": [Kind.PARTS, [], ENTRY],
	"lorebook_budget_tokens": [Kind.INTEGER, null],
	"sections": [Kind.PARTS, [], SECTION],
	"extras": [Kind.OBJECT, {}],
}
const CAST := {
	"npcs": [Kind.PARTS, [], NPC],
	"lore": [Kind.TEXT, ""],
	"lorebook": [Kind.PARTS, [], ENTRY],
	"lorebook_budget_tokens": [Kind.INTEGER, null],
	"ids": [Kind.TEXT_BY_NAME, {}],
}
const WORDS := {
	Kind.TEXT: "a text",
	Kind.NUMBER: "a number",
	Kind.INTEGER: "an integer",
	Kind.FLAG: "true or false",
	Kind.TEXTS: "a list of texts",
	Kind.OBJECT: "an object",
	Kind.TEXT_BY_NAME: "an object of texts",
	Kind.PARTS: "a list",
}

## What is wrong, beginning with where; empty if nothing is.
var fault := ""


## Read the fields of an object; those that are not known are passed over.
func read(given: Variant, table: Dictionary, path: String) -> Dictionary:
	if not given is Dictionary:
		_refuse(path, Kind.OBJECT)
		return {}
	var found := {}
	for field: String in table:
		var row: Array = table[field]
		var value: Variant = given.get(field)
		if value == null and row.size() > 1:
			value = row[1]
		if value == null and row.size() > 1:
			found[field] = null
		elif not _is_a(row[0], value):
			_refuse(path + "." + field, row[0])
		elif row[0] == Kind.PARTS:
			found[field] = _parts(value, row[2], path + "." + field)
		else:
			found[field] = value.duplicate() if value is Array or value is Dictionary else value
	return found


func _parts(given: Array, table: Dictionary, path: String) -> Array[Dictionary]:
	var parts: Array[Dictionary] = []
	for at in given.size():
		parts.append(read(given[at], table, "%s.%d" % [path, at]))
	return parts


func _refuse(path: String, kind: Kind) -> void:
	if fault.is_empty():
		fault = "%s must be %s" % [path, WORDS[kind]]


static func _is_a(kind: Kind, value: Variant) -> bool:
	match kind:
		Kind.TEXT:
			return value is String
		Kind.NUMBER:
			return value is int or value is float
		Kind.INTEGER:
			return value is int
		Kind.FLAG:
			return value is bool
		Kind.OBJECT:
			return value is Dictionary
		Kind.PARTS:
			return value is Array
		Kind.TEXT_BY_NAME:
			return value is Dictionary and _are_texts(value.values())
	return value is Array and _are_texts(value)


static func _are_texts(values: Array) -> bool:
	return values.all(func(value: Variant) -> bool: return value is String)
