extends Villager
## An NPC who may do something: opens the door of the inn.

@export var door: Door


func callsheet_actions() -> Dictionary:
	return {"open_door": "Opens the door of the inn for somebody who asks to come in."}


func open_door() -> String:
	await door.open()
	return "the door of the inn is open"
