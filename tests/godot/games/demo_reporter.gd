extends Node
## Prints what can be seen of the demo, whenever it changes.

var _seen := {}


func _process(_delta: float) -> void:
	var town := get_tree().current_scene
	if town == null:
		return
	_tell("help", town.get_node("Chat/Panel/Box/Help").text)
	_tell("typing", town.get_node("Chat").is_open())
	_tell("door", town.get_node("Door").is_open)
	_tell("player", Vector2i(town.get_node("Player").position))
	for villager: Node2D in get_tree().get_nodes_in_group("villagers"):
		var bubble: Control = villager.get_node("Bubble")
		if villager.is_near:
			_tell("near", villager.name)
		if bubble.visible:
			_tell("%s says" % villager.name, bubble.get_child(0).text)


func _tell(what: String, now: Variant) -> void:
	if _seen.get(what) != now:
		_seen[what] = now
		print(what, ": ", now)
