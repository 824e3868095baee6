@tool
## Looks on at a world, as an observer: every NPC with its distance, tier and latest reply.
##
## The game runs in a process of its own, perhaps on another machine, so the editor asks the server.

const Session := preload("../core/client/session.gd")
const WebSocketTransport := preload("../core/transport/web_socket_transport.gd")

const MAX_ROWS := 200
const INTERVAL_S := 0.5

## There is something new to show.
signal changed

## Ids -> the state that the server told last, with `reply` added: the latest text.
var npcs: Dictionary = {}

## What is to be known of the connection.
var status := "not connected"

var _session: Session
var _picture: Dictionary = {}
var _replies: Dictionary = {}
var _texts: Dictionary = {}


func _init(settings: CallsheetSettings) -> void:
	var options := settings.to_session_options()
	options.role = "observer"
	_session = Session.new(options, func() -> WebSocketTransport: return WebSocketTransport.new())
	_session.opened.connect(_on_opened)
	_session.received.connect(_on_received)
	_session.error_raised.connect(_on_error)
	_session.start()


func tick(now_s: float) -> void:
	_session.tick(now_s)


## Leave at once.
func close(now_s: float) -> void:
	_session.stop()
	_session.tick(now_s)
	_session.abort()


## The soonest first, those whose id or reply holds a text.
func rows(filter := "") -> Array[Dictionary]:
	var found: Array[Dictionary] = []
	for npc: Dictionary in npcs.values():
		if filter.is_empty() or npc.npc.findn(filter) >= 0 or npc.reply.findn(filter) >= 0:
			found.append(npc)
	found.sort_custom(_is_sooner)
	return found.slice(0, MAX_ROWS)


static func _is_sooner(a: Dictionary, b: Dictionary) -> bool:
	var a_s: float = a.get("distance_s", INF)
	var b_s: float = b.get("distance_s", INF)
	return a.npc < b.npc if a_s == b_s else a_s < b_s


func _on_opened(_welcome: Dictionary) -> void:
	status = "looking on"
	_session.request({"type": "subscribe", "topics": ["npcs", "replies"], "interval_s": INTERVAL_S})
	changed.emit()


func _on_error(error: CallsheetError) -> void:
	status = str(error)
	changed.emit()


func _on_received(message: Dictionary) -> void:
	match message.type:
		"npc_states":
			_add_part(message)
		"reply_start":
			_replies[message.reply] = message.npc
			_texts[message.npc] = ""
		"reply_delta":
			if _replies.has(message.reply):
				_texts[_replies[message.reply]] += message.text
		"reply_end":
			_replies.erase(message.reply)
			_texts[message.npc] = message.text
		"world_closed":
			npcs.clear()
			changed.emit()


## A picture of many NPCs comes in parts; it is shown when it is whole.
func _add_part(states: Dictionary) -> void:
	if states.part == 0:
		_picture = {}
	for state: Dictionary in states.npcs:
		_picture[state.npc] = state.merged({"reply": _texts.get(state.npc, "")})
	if states.part == states.parts - 1:
		npcs = _picture
		status = "%d NPCs" % npcs.size()
		changed.emit()
