@tool
extends "mover.gd"
## A player of a world.
