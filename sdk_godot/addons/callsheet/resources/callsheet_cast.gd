class_name CallsheetCast
extends RefCounted
## Characters of a cast file, as `callsheet cast import` makes it of other tools' characters.

const CastFields := preload("cast_fields.gd")
const JsonParser := preload("../core/json/json_parser.gd")
const FORMAT := "callsheet.cast"

## The latest version of the format that is read.
const VERSION := 1

## Ids of NPCs -> who they are, in the order of the file: for [member CallsheetNpc.persona].
var personas: Dictionary = {}

## Every NPC with all fields of the file, in its order; what is missing there has its default.
var npcs: Array[Dictionary] = []

## What all of them know: the lore of the settings.
var lore := ""

## What all of them know when a key is heard; a Lorebook mod adds it to replies.
var lorebook: Array[Dictionary] = []

## Most tokens that the lorebook adds to a reply; null if the file does not say.
var lorebook_budget_tokens: Variant = null

## Sources -> ids, of those too that are gone.
var ids: Dictionary = {}

## Why the file cannot be used; empty if it can.
var fault := ""


## Read a cast file. One that cannot be used has a [member fault] and no personas.
static func load_file(path: String) -> CallsheetCast:
	var file := FileAccess.open(path, FileAccess.READ)
	if file == null:
		return _unusable("%s cannot be opened: %s" % [path, error_string(FileAccess.get_open_error())])
	return parse(file.get_as_text())


## Read the text of a cast file.
static func parse(text: String) -> CallsheetCast:
	var parser := JsonParser.new()
	var document: Variant = parser.parse(text.trim_prefix("\uFEFF").to_utf8_buffer())
	if not parser.fault.is_empty():
		return _unusable("The cast file is no JSON: " + parser.fault)
	if not document is Dictionary:
		return _unusable("cast must be an object")
	if not document.get("format") is String or document.format != FORMAT:
		return _unusable("This is no cast file: it has no \"format\": \"%s\"" % FORMAT)
	var version: Variant = document.get("version")
	if not version is int or version < 1 or version > VERSION:
		return _unusable("The cast file has version %s; this reads up to %d" % [version, VERSION])
	var fields := CastFields.new()
	var read := fields.read(document, CastFields.CAST, "cast")
	return _unusable(fields.fault) if fields.fault else _of(read)


static func _unusable(why: String) -> CallsheetCast:
	var failed := CallsheetCast.new()
	failed.fault = why
	return failed


static func _of(read: Dictionary) -> CallsheetCast:
	var cast := CallsheetCast.new()
	for field: String in read:
		cast.set(field, read[field])
	for npc in cast.npcs:
		cast.personas[npc.npc] = _persona(npc)
	return cast


static func _persona(npc: Dictionary) -> CallsheetPersona:
	var persona := CallsheetPersona.new()
	persona.display_name = npc.name
	persona.text = npc.persona
	persona.archetype = npc.archetype if npc.archetype else ""
	persona.sociability = npc.sociability
	persona.facts = npc.facts
	return persona
