@tool
extends RefCounted
## What all NPCs of a world know, by where they are, when, and how quests stand.

const Spawner := preload("spawner.gd")
const Session := preload("../client/session.gd")
const WorldOptions := preload("world_options.gd")

var _session: Session
var _options: WorldOptions
var _spawner: Spawner
var _lore_entries: Variant
var _flags := {}


func _init(session: Session, options: WorldOptions, spawner: Spawner) -> void:
	_session = session
	_options = options
	_spawner = spawner


func set_lore(entries: Array) -> CallsheetError:
	var error := _tell({ "lore_entries": entries })
	if not error:
		_lore_entries = entries.duplicate(true)
	return error


func set_flag(flag: String, is_set: bool) -> CallsheetError:
	if has_flag(flag) == is_set:
		return null
	var flags := _flags.duplicate()
	if is_set:
		flags[flag] = true
	else:
		flags.erase(flag)
	var error := _tell({ "flags": flags.keys() })
	if not error:
		_flags = flags
	return error


func has_flag(flag: String) -> bool:
	return _flags.has(flag)


## Tell a new session what holds for the whole world.
func configure() -> void:
	var configure := {}
	if not _options.lore.is_empty():
		configure.lore = _options.lore
	if not is_nan(_options.player_max_speed_mps):
		configure.player_max_speed_mps = _options.player_max_speed_mps
	if not is_nan(_options.npc_max_speed_mps):
		configure.npc_max_speed_mps = _options.npc_max_speed_mps
	if _spawner.is_server_current() and _lore_entries != null:
		configure.lore_entries = _lore_entries
	if _spawner.is_server_current() and not _flags.is_empty():
		configure.flags = _flags.keys()
	if not configure.is_empty():
		configure.type = "configure_world"
		_session.request(configure, null, true)


## Without a session there is nothing to tell: a new one is told all. Return which rule a change breaks.
func _tell(change: Dictionary) -> CallsheetError:
	change.type = "configure_world"
	var fault := _session.fault_of(change)
	var is_known := not _session.welcome.is_empty() and _spawner.is_server_current()
	if not fault and is_known:
		_session.request(change)
	return fault
