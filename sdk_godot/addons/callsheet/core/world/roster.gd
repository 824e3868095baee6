@tool
extends RefCounted
## The NPCs, or the players, that come into the server's world and leave it.
##
## An id is despawned only if the server has said that it is spawned, and never used twice at once: who
## bears the id of somebody leaving waits until that one is gone.

const Mover := preload("mover.gd")
const Presence := Mover.Presence

var _arriving: Array[Mover] = []
var _departing: Array[String] = []
var _leaving_ids := {}


func add(mover: Mover) -> void:
	_expect(mover)
	_arriving.append(mover)


func remove(mover: Mover) -> void:
	var is_unanswered := mover.presence == Presence.UNDER_WAY
	if mover.presence == Presence.ARRIVING:
		_arriving.erase(mover)
	elif mover.presence == Presence.SPAWNED:
		_departing.append(mover.id)
	elif is_unanswered:
		_leaving_ids[mover.id] = true
	mover.presence = Presence.LEAVING if is_unanswered else Presence.REMOVED


## A new session: the server knows nobody of these.
func restart(all: Array) -> void:
	_arriving.clear()
	_departing.clear()
	_leaving_ids.clear()
	for mover: Mover in all:
		add(mover)


## Those who can be spawned now, at most so many; they are under way from here on.
func take_arriving(most: int) -> Array[Mover]:
	var ready: Array[Mover] = []
	var later: Array[Mover] = []
	for mover in _arriving:
		if ready.size() == most or _leaving_ids.has(mover.id):
			later.append(mover)
		else:
			mover.presence = Presence.UNDER_WAY
			ready.append(mover)
	_arriving = later
	return ready


func has_arriving() -> bool:
	return not _arriving.is_empty()


## The ids of those who are in the server's world and are to leave it.
func take_departing() -> Array[String]:
	var ids := _departing
	_departing = []
	return ids


## The server has spawned it.
func arrived(mover: Mover, handle: int) -> void:
	if mover.presence == Presence.LEAVING:
		_departing.append(mover.id)
		_forget(mover)
		return
	mover.presence = Presence.SPAWNED
	mover.handle = handle
	mover.has_news = true


## Their spawn was not carried out: whoever was not removed meanwhile goes again, before all others.
func turned_back(movers: Array[Mover]) -> void:
	var again: Array[Mover] = []
	for mover in movers:
		if mover.presence == Presence.LEAVING:
			_forget(mover)
		elif mover.presence == Presence.UNDER_WAY:
			_expect(mover)
			again.append(mover)
	_arriving = again + _arriving


func _expect(mover: Mover) -> void:
	mover.presence = Presence.ARRIVING
	mover.refusal = null


func _forget(mover: Mover) -> void:
	_leaving_ids.erase(mover.id)
	mover.presence = Presence.REMOVED
