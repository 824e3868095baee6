extends Node2D
## A town to walk and talk in: arrow keys, Enter to talk, K to save, L to load.

const REACH_PX := 110.0
const SAVE := "evening"
const HELP := "Arrow keys: walk    Enter: talk    K: save    L: load"

@onready var _player: Figure = $Player
@onready var _door: Door = $Door
@onready var _chat: Chat = $Chat

var _partner: Villager
var _saved := {}


func _ready() -> void:
	_chat.said.connect(_on_said)
	Callsheet.connected.connect(_chat.tell.bind(HELP))
	Callsheet.disconnected.connect(_chat.tell.bind("The server is gone; the game goes on."))
	if not Callsheet.is_connected_to_server():
		_chat.tell("No server yet:  callsheet serve --engine scripted")


func _process(_delta: float) -> void:
	_player.can_walk = not _chat.is_open()
	if not _chat.is_open():
		_partner = _nearest()
		for villager: Villager in get_tree().get_nodes_in_group("villagers"):
			villager.is_near = villager == _partner


func _unhandled_key_input(event: InputEvent) -> void:
	if event.is_action_pressed("ui_accept") and _partner:
		_chat.open(_partner.npc.mover.name)
	elif event.is_pressed() and not event.is_echo() and event is InputEventKey:
		match (event as InputEventKey).keycode:
			KEY_K:
				_save()
			KEY_L:
				_load()


## The game's own state and the NPCs' memory are saved together.
func _save() -> void:
	_saved = {"player": _player.position, "door": _door.is_open}
	var answer := await Callsheet.save_as(SAVE)
	_chat.tell(str(answer.error) if answer.error else "Saved. Nobody will forget what was said until now.")


func _load() -> void:
	var answer := await Callsheet.load_save(SAVE)
	if answer.error:
		_chat.tell(str(answer.error))
		return
	_player.position = _saved.get("player", _player.position)
	_door.is_open = _saved.get("door", false)
	_chat.tell("Loaded. What was said since then, nobody has heard.")


func _on_said(text: String) -> void:
	_chat.tell("You: " + text)
	var reply := await _partner.npc.say(text)
	_chat.tell(HELP if reply.error == null else str(reply.error))


func _nearest() -> Villager:
	var nearest: Villager = null
	var nearest_px := REACH_PX
	for villager: Villager in get_tree().get_nodes_in_group("villagers"):
		var away_px := villager.position.distance_to(_player.position)
		if away_px < nearest_px:
			nearest = villager
			nearest_px = away_px
	return nearest
