@icon("../icons/persona.svg")
class_name CallsheetSchedule
extends Resource
## A time at which an NPC will need the model, whoever is near.

## Absolute game time, s.
@export_range(0.0, 1e12, 0.1, "or_greater") var at_s := 0.0

## Again every so many seconds; 0: once.
@export_range(0.0, 1e9, 0.1, "or_greater") var every_s := 0.0


## As the protocol has it.
func to_wire() -> Dictionary:
	var wire := {"at_s": at_s}
	if every_s > 0.0:
		wire["every_s"] = every_s
	return wire
