## What one NPC can do: the methods that nodes of its body tell in [code]callsheet_actions()[/code].

const Method := preload("action_method.gd")

## As many as the protocol allows an NPC.
const MAX_ACTIONS := 32
const DESCRIBER := "callsheet_actions"

## The specs that the server was told last.
var told: Array = []

var _npc: Node
var _running: Array[CallsheetAction] = []
static var _warned := {}


func _init(npc: Node) -> void:
	_npc = npc


## Look again at what it can do; true if that is not what [member told] had.
func have_changed() -> bool:
	var specs: Array = []
	for method in _find():
		if not method.is_impossible_now():
			specs.append(method.spec())
	if specs.size() > MAX_ACTIONS:
		_warn_once("%s has more than %d actions: %s and those after it are left out" % [_npc.get_parent().name, MAX_ACTIONS, specs[MAX_ACTIONS].name])
		specs.resize(MAX_ACTIONS)
	var changed := specs != told
	told = specs
	return changed


## Begin to carry an action out; the server is told what becomes of it. False if no method does it.
func run(action: CallsheetAction) -> bool:
	for method in _find():
		if method.name == action.name:
			_running = _running.filter(func(known: CallsheetAction) -> bool: return not known.is_complete)
			_running.append(action)
			method.run(action)
			return true
	return false


## Nobody carries the action out: tell the NPC so, and once the console.
func refuse(action: CallsheetAction) -> void:
	action.complete(false, "the game has no action named %s" % action.name)
	_warn_once("%s wants to do %s and nobody carries it out: name it in callsheet_actions() of a node of its body, or connect CallsheetNpc.acted" % [_npc.get_parent().name, action.name])


## What a node has begun ends with it, without a word.
func fail_running(why: String) -> void:
	for action in _running:
		if not action.is_complete:
			action.complete(false, "%s: %s" % [action.name, why])
	_running.clear()


func _find() -> Array[Method]:
	var found: Array[Method] = []
	_collect(_npc.get_parent(), found)
	return found


## Another NPC's body below this one has its own actions.
func _collect(from: Node, found: Array[Method]) -> void:
	if from.has_method(DESCRIBER):
		var described: Dictionary = from.call(DESCRIBER)
		for name: String in described:
			var method := Method.new(from, name, described[name])
			if method.fault:
				_warn_once("action %s of %s: %s" % [name, from.get_path(), method.fault])
			elif found.any(func(other: Method) -> bool: return other.name == name):
				_warn_once("action %s of %s: another node of its body has one of that name, which counts" % [name, from.get_path()])
			else:
				found.append(method)
	for child in from.get_children():
		if not _is_body_of_another(child):
			_collect(child, found)


func _is_body_of_another(node: Node) -> bool:
	return node.get_children().any(func(child: Node) -> bool: return child is CallsheetNpc and child != _npc)


static func _warn_once(what: String) -> void:
	if not _warned.has(what):
		_warned[what] = true
		push_warning("[Callsheet] " + what)
