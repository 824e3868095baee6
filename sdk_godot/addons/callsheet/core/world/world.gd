@tool
extends RefCounted
## A game's NPCs and players, kept the same on the server whatever happens to the connection.
##
## What is added is spawned in batches; where it is goes out in ticks; after a session was lost everything
## is told again. One world drives one session of role `game`.

const Knowledge := preload("knowledge.gd")
const Mover := preload("mover.gd")
const Npc := preload("npc.gd")
const Player := preload("player.gd")
const Round := preload("round.gd")
const Session := preload("../client/session.gd")
const Spawner := preload("spawner.gd")
const Ticker := preload("ticker.gd")
const WorldOptions := preload("world_options.gd")

## A note of the server for who makes the game, in one line: the model cannot choose actions, for example.
signal noted(text: String)
## A save was loaded: the game's clock may go on from this time, s.
signal loaded(time_s: float)
## The server told how it does, with the topic `stats`.
signal stats_changed(stats: Dictionary)

const MAX_GAME_TIME_S := 1e12
## Fields of `say` that came with protocol 1.3.
const NEW_SAY_FIELDS := ["actions", "audible_m"]

var npcs: Array[Npc] = []
var players: Array[Player] = []
var last_stats := {}

var _session: Session
var _options: WorldOptions
var _spawner: Spawner
var _ticker: Ticker
var _knowledge: Knowledge
var _npcs_by_id := {}
var _players_by_id := {}
## Number of a reply that somebody else asked for -> the reply.
var _others := {}
var _load: CallsheetAnswer
var _now_s := 0.0

## Ticks sent so far, bytes of the last, and the time from sending one to its ack; NAN without `ack_ticks`.
var ticks_sent: int:
	get:
		return _ticker.ticks_sent
var last_tick_bytes: int:
	get:
		return _ticker.last_tick_bytes
var tick_round_trip_s: float:
	get:
		return _ticker.round_trip_s


func _init(session: Session, options: WorldOptions) -> void:
	_session = session
	_options = options
	_spawner = Spawner.new(session)
	_ticker = Ticker.new(session, options, npcs, players)
	_knowledge = Knowledge.new(session, options, _spawner)
	_spawner.noted.connect(noted.emit)
	session.opened.connect(_on_opened)
	session.received.connect(_on_received)


## Add an NPC, by an NpcSpec of the protocol. It can be spoken to at once; what is said waits until it is
## spawned. If it cannot be, its `refusal` says why, and it is not in the world.
func add_npc(spec: Dictionary) -> Npc:
	var npc := Npc.new(str(spec.get("npc", "")), spec.duplicate(true))
	if _add(npc, _npcs_by_id, "npcs", "duplicate_npc"):
		npcs.append(npc)
	return npc


## Add a player, by a PlayerSpec of the protocol, as `add_npc` does.
func add_player(spec: Dictionary) -> Player:
	var player := Player.new(str(spec.get("player", "")), spec.duplicate(true))
	if _add(player, _players_by_id, "players", "duplicate_player"):
		players.append(player)
	return player


## Remove an NPC or a player; open replies end. Nothing happens if it is not in the world.
func remove(mover: Mover) -> void:
	var by_id := _npcs_by_id if mover is Npc else _players_by_id
	if by_id.get(mover.id) != mover:
		return
	by_id.erase(mover.id)
	if mover is Npc:
		npcs.erase(mover)
		_ticker.lost_somebody()
	else:
		players.erase(mover)
	_spawner.remove(mover)


## The NPC with that id; null if there is none.
func find_npc(id: String) -> Npc:
	return _npcs_by_id.get(id)


## Take somebody out of the simulation without removing them, or put them back.
func set_active(mover: Mover, active: bool) -> void:
	if mover.is_active != active:
		mover.is_active = active
		_ticker.call_for_keyframe()


## Change what the server knows of an NPC, by fields of `update_npc`; the others keep their value.
func update(npc: Npc, changes: Dictionary) -> CallsheetAnswer:
	var change := changes.duplicate(true)
	change.type = "update_npc"
	change.npc = npc.id
	var answer := CallsheetAnswer.new()
	var fault := _session.fault_of(change)
	if fault:
		answer.on_failed(fault)
		return answer
	npc.take_update(changes)
	if npc.presence == Mover.Presence.REFUSED:
		_spawner.add(npc)
	if not _session.welcome.is_empty() and not _spawner.is_server_current():
		for field: String in Spawner.NEW_FIELDS:
			change.erase(field)
	if npc.is_spawned() or npc.presence == Mover.Presence.UNDER_WAY:
		_session.request(change, answer)
	else:
		# Its spawn will tell.
		answer.on_message({ "type": "ok" })
	return answer


## Have scripts find facts about an NPC, from when it is spawned next; what one has noted since stays. Return
## null, or which rule a fact breaks.
func set_facts(npc: Npc, facts: Dictionary) -> CallsheetError:
	var fault := _session.fault_of({ "type": "set_facts", "npc": npc.id, "facts": facts })
	if not fault:
		npc.facts = facts.duplicate(true)
	return fault


## Say something to an NPC, as a player, as another NPC, or as nobody in the world: an event, a stage
## direction. The options are the other fields of `say`.
func say(npc: Npc, text: String, speaker: Mover = null, options := {}) -> CallsheetReply:
	var request := _line("say", text, speaker, options)
	request.npc = npc.id
	return _ask(npc, request)


## Put one line to several NPCs, at most 8: they answer in turn, each having heard the ones before. Return a
## reply of each, in their order; cancelling one cancels all. Needs a server of protocol 1.3.
func say_to_all(
	to: Array[Npc], text: String, speaker: Mover = null, options := {}
) -> Array[CallsheetReply]:
	var request := _line("say", text, speaker, options)
	request.npcs = _ids(to)
	var together := Round.new(_session, to, request)
	_spawn_first()
	_session.request(request, together)
	return together.replies


## Make an NPC say a given line, without the model.
func speak(npc: Npc, text: String) -> CallsheetReply:
	return _ask(npc, { "type": "speak", "npc": npc.id, "text": text })


## Have NPCs remember a line without an answer, at most 32.
func hear(by: Array[Npc], text: String, speaker: Mover = null) -> CallsheetAnswer:
	var request := _line("hear", text, speaker, {})
	request.npcs = _ids(by)
	_spawn_first()
	return _request(request)


## Mark what the world remembers now with a name: turns, facts, schedules, the game's clock. The answer
## comes when it is on the disk.
func save_as(name: String) -> CallsheetAnswer:
	return _request({ "type": "save", "name": name })


## Go back to a save: what was told since is not known any more. Open replies end. Who is in the world
## stays; no tick is sent until the answer has come.
func load_save(name: String) -> CallsheetAnswer:
	_load = CallsheetAnswer.new()
	_load.completed.connect(_on_loaded.bind(_load))
	_session.request({ "type": "load", "name": name }, _load)
	return _load


## Delete a save, and from the disk what only it held.
func delete_save(name: String) -> CallsheetAnswer:
	return _request({ "type": "delete_save", "name": name })


## Ask for the saves of this world, the oldest first, in `result.saves`.
func list_saves() -> CallsheetAnswer:
	return _request({ "type": "list_saves" })


## Erase what an NPC remembers: all of it, or what happened after a game time. It need not be in the world.
func forget(npc_id: String, after_s := NAN) -> CallsheetAnswer:
	return _forget({ "type": "forget", "npcs": [npc_id] }, after_s)


## Erase what all NPCs remember that ever were in this world, or what happened after a game time.
func forget_everything(after_s := NAN) -> CallsheetAnswer:
	return _forget({ "type": "forget" }, after_s)


## Ask why an NPC has the distance it has.
func explain(npc: Npc) -> CallsheetAnswer:
	return _request({ "type": "explain", "npc": npc.id })


## Lore with conditions, in place of that before: known only where, when and while all of them hold. Return
## null, or which rule an entry breaks.
func set_lore(entries: Array) -> CallsheetError:
	return _knowledge.set_lore(entries)


## Set a flag that lore may ask for, or take it back: a quest's state. Return null, or why it cannot be.
func set_flag(flag: String, is_set := true) -> CallsheetError:
	return _knowledge.set_flag(flag, is_set)


func has_flag(flag: String) -> bool:
	return _knowledge.has_flag(flag)


## True if `tick` would send or gather a tick now: the time to tell where everyone is.
func is_tick_due(now_s: float) -> bool:
	return _ticker.is_due(now_s) and not _is_loading()


## Those that the next `tick` looks at: only their motion needs to be set before. Empty if none is due.
func movers_due(now_s: float) -> Array[Mover]:
	var due: Array[Mover] = []
	if is_tick_due(now_s):
		due.append_array(_ticker.npcs_due(now_s))
		due.append_array(players)
	return due


## Send what is due, once a frame, after the session's tick. The game's own clock may stand still, jump ahead
## and go back; a server before protocol 1.3 knows no way back: there it stands still until it is later again.
func tick(now_s: float, game_time_s: float) -> void:
	_now_s = now_s
	if _session.state != Session.State.OPEN:
		return
	_spawner.flush()
	if is_tick_due(now_s):
		_ticker.take_time(clampf(game_time_s, 0.0, MAX_GAME_TIME_S), _spawner.is_server_current())
		_ticker.tick(now_s)


func _add(mover: Mover, by_id: Dictionary, kind: String, taken: String) -> bool:
	var fault := _session.fault_of({ "type": "spawn", kind: [mover.spec] })
	if not fault and by_id.has(mover.id):
		fault = CallsheetError.new(taken, "the id '%s' is in the world already" % mover.id)
	if fault:
		fault.field = fault.field.trim_prefix(kind + ".0.")
		mover.presence = Mover.Presence.REFUSED
		mover.refusal = fault
		return false
	by_id[mover.id] = mover
	mover.position_step_2 = _options.position_step_m ** 2
	mover.velocity_step_2 = _options.velocity_step_mps ** 2
	_spawner.add(mover)
	return true


func _line(type: String, text: String, speaker: Mover, options: Dictionary) -> Dictionary:
	var line := options.duplicate(true)
	if not _session.welcome.is_empty() and not _spawner.is_server_current():
		# A server before 1.3 would refuse the whole line for them.
		for field: String in NEW_SAY_FIELDS:
			line.erase(field)
	line.type = type
	line.text = text
	line.speaker = { "kind": "narrator" }
	if speaker:
		line.speaker = { "kind": "npc" if speaker is Npc else "player", "id": speaker.id }
	return line


func _ask(npc: Npc, request: Dictionary) -> CallsheetReply:
	_spawn_first()
	var reply := CallsheetReply.new(_session, npc, request)
	if npc.refusal:
		reply.fail(npc.refusal)
	else:
		_session.request(request, reply)
	return reply


func _request(message: Dictionary) -> CallsheetAnswer:
	var answer := CallsheetAnswer.new()
	_session.request(message, answer)
	return answer


func _forget(message: Dictionary, after_s: float) -> CallsheetAnswer:
	if not is_nan(after_s):
		message.after_s = after_s
	return _request(message)


## Who speaks or is spoken to may have been added in this frame: it is spawned first.
func _spawn_first() -> void:
	if _session.state == Session.State.OPEN:
		_spawner.flush(true)


func _is_loading() -> bool:
	return _load != null and not _load.is_complete


func _on_loaded(answer: CallsheetAnswer) -> void:
	if not answer.error:
		_ticker.game_time_s = answer.result.time_s
		_ticker.call_for_keyframe()
		loaded.emit(_ticker.game_time_s)


func _on_opened(welcome: Dictionary) -> void:
	_ticker.begin(welcome.resumed, _spawner.is_server_current())
	if welcome.resumed:
		return
	var cut_off := _others.values()
	_others.clear()
	for reply: CallsheetReply in cut_off:
		var what := "the session ended while %s spoke" % reply.npc.id
		reply.fail(CallsheetError.new(CallsheetError.SESSION_LOST, what))
	_knowledge.configure()
	_spawner.restart(npcs, players)
	if not _options.topics.is_empty():
		var interval_s := _options.topic_interval_s
		var subscribe := { "type": "subscribe", "topics": _options.topics, "interval_s": interval_s }
		_session.request(subscribe, null, true)


func _on_received(message: Dictionary) -> void:
	match message.type:
		"npc_states":
			for state: Dictionary in message.npcs:
				var npc := find_npc(state.npc)
				if npc:
					npc.take_state(state)
		"stats":
			last_stats = message
			stats_changed.emit(message)
		"tick_ack":
			_ticker.take_ack(message.tick, _now_s)
		"reply_start", "reply_delta", "action", "reply_end":
			_take_other(message)


## A message about a reply that this game did not ask for.
func _take_other(message: Dictionary) -> void:
	var number: int = message.reply
	if message.type == "reply_start" and not message.has("id"):
		var npc := find_npc(message.npc)
		if npc:
			_others[number] = CallsheetReply.new(_session, npc, {})
	if not _others.has(number):
		return
	var reply: CallsheetReply = _others[number]
	if message.type == "reply_end":
		_others.erase(number)
	reply.on_message(message)


static func _ids(movers: Array[Npc]) -> Array[String]:
	var ids: Array[String] = []
	for mover in movers:
		ids.append(mover.id)
	return ids
