class_name Villager
extends Figure
## An NPC's body: says in a bubble what the NPC says, and walks up and down while nobody talks to it.

@export var walk_px := 0.0

@onready var npc: CallsheetNpc = $CallsheetNpc
@onready var _bubble: Bubble = $Bubble

var _home := Vector2.ZERO
var _walked_s := 0.0


func _ready() -> void:
	_home = position
	npc.reply_started.connect(func(_reply: CallsheetReply) -> void: _bubble.say("…"))
	npc.text_changed.connect(_bubble.say)
	npc.reply_completed.connect(_on_reply_completed)


func _process(delta: float) -> void:
	if walk_px > 0.0 and not is_near and not _bubble.visible:
		_walked_s += delta
		position = _home + Vector2(sin(_walked_s * 0.5) * walk_px, 0.0)


func _on_reply_completed(reply: CallsheetReply) -> void:
	if reply.error:
		_bubble.say("(%s)" % reply.error.message)
	_bubble.hide_soon()
