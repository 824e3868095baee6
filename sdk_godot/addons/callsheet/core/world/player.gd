@tool
extends "mover.gd"
## A player of a world.

const RECORD_BYTES := 32


func _init(its_id: String, its_spec: Dictionary) -> void:
	super(its_id, its_spec, RECORD_BYTES)
