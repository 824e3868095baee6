@tool
@icon("../icons/persona.svg")
class_name CallsheetPersona
extends Resource
## Describes an NPC: who it is and what it knows.

## What others call it. Empty: the name of the node it belongs to, without a number at its end.
@export var display_name := "":
	set(value):
		display_name = value
		emit_changed()

## Who it is, in the second person: "You are Bob, a grumpy baker." At most 16,000 characters; the
## shorter, the faster.
@export_multiline var text := "":
	set(value):
		text = value
		emit_changed()

## A label that mods can bind to, such as guard. Optional.
@export var archetype := ""

## A LoRA adapter that the server knows. Optional.
@export var adapter := ""

## 0 = never talks to other NPCs, 1 = with everyone in reach.
@export_range(0.0, 1.0) var sociability := 0.0:
	set(value):
		sociability = value
		emit_changed()

## Facts it knows, each at most 500 characters: "Ann owes you three coins."
@export var knowledge: PackedStringArray = []:
	set(value):
		knowledge = value
		emit_changed()

## Facts for mods, by name, as a cast file has them. Told whenever it comes into the world; what a script
## has noted under a name since stays.
@export var facts := {}
