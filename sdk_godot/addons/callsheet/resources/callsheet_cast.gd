class_name CallsheetCast
extends RefCounted
## Characters of a cast file, as `callsheet cast import` makes it of other tools' characters.

const FORMAT := "callsheet.cast"
const VERSION := 1

## What all of them know: the lore of the settings.
var lore := ""

## Ids of NPCs -> who they are, in the order of the file.
var personas: Dictionary = {}

## Why the file cannot be used; empty if it can.
var fault := ""


## Read a cast file. One that cannot be used has a [member fault] and no personas.
static func load_file(path: String) -> CallsheetCast:
	var file := FileAccess.open(path, FileAccess.READ)
	if file == null:
		var failed := CallsheetCast.new()
		failed.fault = "%s cannot be opened: %s" % [path, error_string(FileAccess.get_open_error())]
		return failed
	return parse(file.get_as_text())


## Read the text of a cast file.
static func parse(text: String) -> CallsheetCast:
	var found := CallsheetCast.new()
	var json := JSON.new()
	if json.parse(text) != OK:
		found.fault = "line %d: %s" % [json.get_error_line() + 1, json.get_error_message()]
		return found
	found.fault = _fault_of(json.data)
	if found.fault.is_empty():
		var cast: Dictionary = json.data
		found.lore = str(cast.get("lore", ""))
		for entry: Dictionary in cast.npcs:
			found.personas[entry.npc] = _persona(entry)
	return found


static func _fault_of(data: Variant) -> String:
	if not data is Dictionary or data.get("format") != FORMAT:
		return "this is no cast file"
	if not data.get("version") is float or data.version > VERSION:
		return "this cast file is of a later version than %d: update the addon" % VERSION
	if not data.get("npcs") is Array:
		return "npcs: a list is missing"
	for entry: Variant in data.npcs:
		if not entry is Dictionary or not entry.get("npc") is String or not entry.get("name") is String:
			return "npcs: each needs npc and name"
	return ""


static func _persona(entry: Dictionary) -> CallsheetPersona:
	var persona := CallsheetPersona.new()
	persona.display_name = entry.name
	persona.text = _text(entry, "persona")
	persona.archetype = _text(entry, "archetype")
	persona.sociability = entry.sociability if entry.get("sociability") is float else 0.0
	persona.facts = entry.facts if entry.get("facts") is Dictionary else {}
	return persona


static func _text(entry: Dictionary, field: String) -> String:
	return entry[field] if entry.get(field) is String else ""
