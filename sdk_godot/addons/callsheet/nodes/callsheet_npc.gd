@tool
@icon("../icons/npc.svg")
class_name CallsheetNpc
extends Node
## An NPC: a child of the node that is its body. Write who it is, and talk to it:
## [code]var reply := await npc.say("What is for supper?")[/code]
##
## It leaves the world with its scene, and knows all that it knew when it comes again under its id.

const Ids := preload("ids.gd")
const Motion := preload("motion.gd")
const Npc := preload("../core/world/npc.gd")
const NpcActions := preload("../actions/npc_actions.gd")

## It begins to answer somebody.
signal reply_started(reply: CallsheetReply)
## More of a reply came; this is all of it so far.
signal text_changed(text: String)
## A sentence of a reply is whole: it may be voiced.
signal sentence_ended(sentence: String)
## A reply ended or failed.
signal reply_completed(reply: CallsheetReply)
## It wants to act, and no method in [code]callsheet_actions()[/code] does it. Call
## [method CallsheetAction.complete].
signal acted(action: CallsheetAction)
## What the server expects of it; see [member CallsheetSettings.show_npc_states].
signal state_changed(state: Dictionary)
## Its state moved to another tier: device, host, disk or absent.
signal tier_changed(tier: String)
## The server will not have it, for a fault of its own. The error is in the console too.
signal refused(error: CallsheetError)

## Unique among NPCs; what it remembers is kept under it. Empty: the name of the parent, with a number
## if it is taken.
@export var npc_id := ""

## Who it is.
@export var persona: CallsheetPersona:
	set(value):
		if persona and persona.changed.is_connected(_on_persona_changed):
			persona.changed.disconnect(_on_persona_changed)
		persona = value
		if persona:
			persona.changed.connect(_on_persona_changed)
		_on_persona_changed()
		update_configuration_warnings()

## How near a player comes before a talk can start, m.
@export_range(0.0, 100.0, 0.1, "or_greater") var interaction_radius_m := 3.0

## How far other NPCs overhear what it says to an NPC, and what it is answered, m. 0: who is spoken to
## alone hears it.
@export_range(0.0, 1000.0, 0.1, "or_greater") var audible_m := 0.0

## Times of game time at which it will need the model, whoever is near.
@export var schedule: Array[CallsheetSchedule] = []

## False: it is out of the simulation, and keeps its place in the world.
@export var active := true:
	set(value):
		active = value
		if mover:
			_client.world.set_active(mover, active)

## The NPC under this node; null while it is not in a scene.
var mover: Npc

## The latest reply; null before the first one.
var last_reply: CallsheetReply

var _client: CallsheetClient
var _actions: NpcActions
var _tier := ""


## Say something as the local player, or as [param speaker], a [CallsheetPlayer] or [CallsheetNpc], and
## wait for the answer. A talk that was cut short has a reply with an [code]error[/code].
func say(text: String, speaker: Node = null) -> CallsheetReply:
	return await begin_reply(text, speaker).finished()


## As [method say], without waiting: the reply can be followed, and cancelled.
func begin_reply(text: String, speaker: Node = null) -> CallsheetReply:
	tell_actions()
	speaker = speaker if speaker else _client.local_player
	var options := {}
	if speaker and speaker.audible_m > 0.0:
		options["audible_m"] = speaker.audible_m
	return _client.world.say(mover, text, speaker.mover if speaker else null, options)


## Make it say a given line, without the model.
func speak(text: String) -> CallsheetReply:
	return await _client.world.speak(mover, text).finished()


## Have it remember a line without an answer. Without a speaker it is nobody's: thunder, a herald.
func hear(text: String, speaker: Node = null) -> CallsheetAnswer:
	return await _client.world.hear([mover] as Array[Npc], text, speaker.mover if speaker else null).finished()


## Add facts to what it knows: each at most 500 characters, 32 in all.
func know(facts: PackedStringArray) -> void:
	var known := persona.knowledge.duplicate()
	for fact in facts:
		if not known.has(fact):
			known.append(fact)
	persona.knowledge = known


## Erase what it remembers, or what it remembers of after a game time, for good.
func forget(after_s := NAN) -> CallsheetAnswer:
	return await _client.world.forget(mover.id, after_s).finished()


## Why it has the distance it has: [code]answer.result[/code].
func explain() -> CallsheetAnswer:
	return await _client.world.explain(mover).finished()


## Tell the server what it can do now, if that is not what it was told last. Done before every
## [method say].
func tell_actions() -> void:
	if mover and _actions.have_changed():
		_update({"action_specs": _actions.told})


func _enter_tree() -> void:
	if Engine.is_editor_hint():
		return
	_client = CallsheetClient.of(self)
	mover = _client.world.add_npc(_spec())
	_tell_facts()
	_actions = NpcActions.new(self)
	mover.refused.connect(_on_refused)
	mover.reply_started.connect(_on_reply_started)
	mover.text_added.connect(_on_text_added)
	mover.sentence_ended.connect(_on_sentence_ended)
	mover.reply_completed.connect(_on_reply_completed)
	mover.acted.connect(_on_acted)
	mover.state_changed.connect(_on_state_changed)
	if mover.refusal:
		_on_refused(mover.refusal)
	_client._add(mover, Motion.new(get_parent(), mover))
	_client.world.set_active(mover, active)
	# Not at once: the other nodes of its body are to be ready.
	tell_actions.call_deferred()


func _exit_tree() -> void:
	if mover:
		_actions.fail_running("%s left the scene" % name)
		_client._remove(mover)
		mover = null


func _spec() -> Dictionary:
	var who := persona if persona else CallsheetPersona.new()
	var body := get_parent()
	var spec := {
		"npc": npc_id if npc_id else Ids.free(body.name, func(id: String) -> bool: return _client.world.find_npc(id) != null),
		"name": _spoken_name(),
		"persona": who.text,
		"sociability": who.sociability,
		"interaction_radius_m": interaction_radius_m,
		"schedule": schedule.map(func(call: CallsheetSchedule) -> Dictionary: return call.to_wire()),
	}
	for field: String in ["archetype", "adapter"]:
		if who.get(field):
			spec[field] = who.get(field)
	if not who.knowledge.is_empty():
		spec["knowledge"] = Array(who.knowledge)
	return spec


func _tell_facts() -> void:
	var fault: CallsheetError = _client.world.set_facts(mover, persona.facts) if persona else null
	if fault:
		push_warning("[Callsheet] %s: its facts are not told: %s" % [get_path(), fault])


func _spoken_name() -> String:
	if persona and persona.display_name:
		return persona.display_name
	return Ids.spoken(get_parent().name)


func _on_persona_changed() -> void:
	if mover and persona:
		_update({
			"name": _spoken_name(),
			"persona": persona.text,
			"sociability": persona.sociability,
			"knowledge": Array(persona.knowledge),
		})


func _update(changes: Dictionary) -> void:
	var answer := _client.world.update(mover, changes)
	if answer.error:
		push_warning("[Callsheet] %s stays as it was: %s" % [get_path(), answer.error])


func _on_refused(error: CallsheetError) -> void:
	push_error("[Callsheet] NPC %s is not in the world: %s" % [get_path(), error])
	refused.emit(error)


func _on_reply_started(reply: CallsheetReply) -> void:
	last_reply = reply
	reply_started.emit(reply)


func _on_text_added(reply: CallsheetReply, _text: String) -> void:
	text_changed.emit(reply.text)


func _on_sentence_ended(_reply: CallsheetReply, sentence: String) -> void:
	sentence_ended.emit(sentence)


func _on_reply_completed(reply: CallsheetReply) -> void:
	last_reply = reply
	reply_completed.emit(reply)


func _on_acted(action: CallsheetAction) -> void:
	if _actions.run(action):
		return
	if acted.get_connections().is_empty():
		_actions.refuse(action)
	else:
		acted.emit(action)


func _on_state_changed(state: Dictionary) -> void:
	state_changed.emit(state)
	if state.get("tier", _tier) != _tier:
		_tier = state.tier
		tier_changed.emit(_tier)


func _get_configuration_warnings() -> PackedStringArray:
	var warnings: PackedStringArray = []
	if not (get_parent() is Node2D or get_parent() is Node3D):
		warnings.append("An NPC is where its parent is: make it a child of a Node2D or Node3D.")
	if persona == null or persona.text.is_empty():
		warnings.append("Nobody knows who this is: give it a persona with a text.")
	return warnings
