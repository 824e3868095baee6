@icon("../icons/client.svg")
class_name CallsheetClient
extends Node
## The connection to the server: the autoload [code]Callsheet[/code], which the plugin adds.
##
## One lives through all scenes; NPCs and players find it, and make it if there is none. Everything
## happens in [code]_process[/code], after the other nodes'. Without a server the game runs on, and the
## client keeps trying.

const Session := preload("../core/client/session.gd")
const SessionOptions := preload("../core/client/session_options.gd")
const WebSocketTransport := preload("../core/transport/web_socket_transport.gd")
const World := preload("../core/world/world.gd")
const StartCommand := preload("start_command.gd")

const GOODBYE_S := 0.25
const MAX_GAME_TIME_S := 1e12
const PREFIX := "[Callsheet] "

## The session is open: NPCs answer.
signal connected
## The session was open and is no more. The client tries again.
signal disconnected
## Every error, with its code; what matters is in the console as well.
signal error_raised(error: CallsheetError)
## A save was loaded: the game's clock goes on from there.
signal loaded(time_s: float)

## Leave empty to use the project's, res://callsheet_settings.tres, or the defaults.
@export var settings: CallsheetSettings

## The game's clock.
var clock := CallsheetClock.new()

## The session under this node, for what the nodes do not offer.
var session: Session

## The NPCs and players that the server knows or is going to know.
var world: World

## The player who came first: who speaks if no speaker is named. Null if there is none.
var local_player: CallsheetPlayer:
	get:
		return null if _players.is_empty() else _players[0]

## Makes the transport of a connection; replaced by tests.
static var make_transport: Callable = func() -> WebSocketTransport: return WebSocketTransport.new()

## Seconds of real time; replaced by tests.
static var real_time_s: Callable = func() -> float: return Time.get_ticks_usec() / 1e6

static var _current: CallsheetClient

var _motions := {}
var _players: Array[CallsheetPlayer] = []
var _logged := {}
var _is_open := false


## The client of this game; made if there is none.
static func of(node: Node) -> CallsheetClient:
	if not is_instance_valid(_current):
		_current = CallsheetClient.new()
		_current.name = "Callsheet"
		_current._begin()
		node.get_tree().root.add_child.call_deferred(_current)
	return _current


## True while NPCs answer.
func is_connected_to_server() -> bool:
	return _is_open


## Try again after the server refused; the console tells why it did.
func reconnect() -> void:
	_logged.clear()
	session.start()


## Save what the NPCs remember now, under the name of the game's own save. It is on the server's disk
## when the answer has come.
func save_as(save_name: String) -> CallsheetAnswer:
	return await world.save_as(save_name).finished()


## Go back to a save: what was told since is not known any more, and the clock goes on from the
## save's time.
func load_save(save_name: String) -> CallsheetAnswer:
	return await world.load_save(save_name).finished()


## Delete a save, and from the disk what only it held.
func delete_save(save_name: String) -> CallsheetAnswer:
	return await world.delete_save(save_name).finished()


## The saves there are: [code]answer.result.saves[/code], the oldest first.
func list_saves() -> CallsheetAnswer:
	return await world.list_saves().finished()


## Erase what all NPCs remember, or what they remember of after a game time.
func forget_everything(after_s := NAN) -> CallsheetAnswer:
	return await world.forget_everything(after_s).finished()


## Set or clear a flag of the story, on which entries of the lore may depend.
func set_flag(flag: String, is_set := true) -> CallsheetError:
	return world.set_flag(flag, is_set)


func _enter_tree() -> void:
	if is_instance_valid(_current) and _current != self:
		push_warning(PREFIX + "there is a client already, %s: that one stays" % _current.get_path())
		queue_free()
		return
	_current = self
	process_mode = Node.PROCESS_MODE_ALWAYS
	process_priority = 1000
	_begin()
	session.start()


func _exit_tree() -> void:
	if _current == self:
		_say_goodbye()
		_current = null


func _process(delta_s: float) -> void:
	var now_s: float = real_time_s.call()
	session.tick(now_s)
	if not get_tree().paused:
		clock.advance(delta_s)
	var game_time_s := clock.time_s
	if not (game_time_s >= 0.0 and game_time_s <= MAX_GAME_TIME_S):
		_log_once("the game's clock says %s s, which is not from 0 to 1e12: no tick is sent until it does" % game_time_s)
		return
	for mover: RefCounted in world.movers_due(now_s):
		var motion: RefCounted = _motions.get(mover)
		if motion:
			motion.tell(game_time_s, settings.pixels_per_m)
	world.tick(now_s, game_time_s)
	_tell_state()


func _begin() -> void:
	if session:
		return
	settings = settings if settings else CallsheetSettings.of_project()
	session = Session.new(settings.to_session_options(), make_transport)
	world = World.new(session, settings.to_world_options())
	session.error_raised.connect(_on_error_raised)
	session.version_warning.connect(_log_once)
	world.noted.connect(_log_once)
	world.loaded.connect(_on_loaded)


func _add(mover: RefCounted, motion: RefCounted) -> void:
	_motions[mover] = motion
	motion.tell(clock.time_s, settings.pixels_per_m)


func _remove(mover: RefCounted) -> void:
	_motions.erase(mover)
	world.remove(mover)


## Say goodbye, so that the server lets go of this world at once. A browser sends it by itself.
func _say_goodbye() -> void:
	session.stop()
	var start_s: float = real_time_s.call()
	var now_s := start_s
	while not OS.has_feature("web") and session.state == Session.State.CLOSING and now_s - start_s < GOODBYE_S:
		session.tick(now_s)
		OS.delay_msec(2)
		now_s = real_time_s.call()
	session.tick(now_s)
	session.abort()


## At the end of a frame: by now everybody of the scene was announced to a new session.
func _tell_state() -> void:
	var was_open := _is_open
	_is_open = session.state == Session.State.OPEN
	if _is_open and not was_open:
		_logged.clear()
		if settings.verbose:
			print(PREFIX, "connected to ", settings.server_url, ", world '", settings.world, "'")
		connected.emit()
	elif was_open and not _is_open:
		disconnected.emit()


func _on_loaded(time_s: float) -> void:
	clock.time_s = time_s
	loaded.emit(time_s)


func _on_error_raised(error: CallsheetError) -> void:
	match error.code:
		"connection_failed":
			_log_once("no server at %s. Start it with: %s   The game runs on; the client keeps trying." % [settings.server_url, StartCommand.of(settings.server_url)])
		"world_taken":
			_log_once("another game holds the world '%s' on %s. Stop it or choose another world in the settings, then call reconnect(). If that game crashed, the server frees the world after a minute." % [settings.world, settings.server_url])
		_:
			_log_once(str(error))
	error_raised.emit(error)


## One line for one problem, until the session is open again.
func _log_once(what: String) -> void:
	if not _logged.has(what):
		_logged[what] = true
		push_warning(PREFIX + what)
