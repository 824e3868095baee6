extends Checks
## Methods of nodes as actions: what the server is told of them, and what becomes of a choice.

const ActionMethod := preload("res://addons/callsheet/actions/action_method.gd")
const NpcActions := preload("res://addons/callsheet/actions/npc_actions.gd")

enum Mood { CALM, ANGRY }


## An action that keeps what it was told.
class Told:
	extends CallsheetAction

	var outcome: Array = []

	func _init(action_name: String, given: Dictionary) -> void:
		super(null, null, {"action": 1, "name": action_name, "arguments": given})

	func complete(ok: bool, message := "") -> bool:
		is_complete = true
		outcome = [ok, message]
		return true


class Body:
	extends Node

	signal woken

	var doors: Array[String] = ["inn", "mill"]
	var given: Array = []

	func callsheet_actions() -> Dictionary:
		return {
			"open_door": {"description": "Opens a door.", "door": doors},
			"pay": {"description": "Pays coins.", "coins": [1, 10]},
			"feel": {"description": "Shows a mood.", "mood": Mood},
			"wave": "Waves.",
			"nap": "Sleeps a while.",
			"think": "Thinks for itself.",
			"note": "Notes anything.",
		}

	func open_door(door: String) -> bool:
		given.append(door)
		return door == "inn"

	func pay(coins: int, to := "Ann") -> String:
		given.append([coins, to])
		return "%d coins for %s" % [coins, to]

	func feel(mood: Mood) -> void:
		given.append(mood)

	func wave() -> void:
		given.append("waved")

	func nap() -> bool:
		await woken
		return true

	func think(action: CallsheetAction) -> void:
		given.append(action)

	func note(what: Variant, share: float) -> void:
		given.append([what, share])


var _body: Body


func _method(method_name: String) -> ActionMethod:
	if _body:
		_body.free()
	_body = Body.new()
	return ActionMethod.new(_body, method_name, _body.callsheet_actions().get(method_name, ""))


func _run(method_name: String, given := {}) -> Told:
	var action := Told.new(method_name, given)
	_method(method_name).run(action)
	return action


func test_types_of_arguments_come_from_the_method() -> void:
	equal(_method("note").spec().parameters, {
		"type": "object",
		"properties": {"what": {}, "share": {"type": "number"}},
		"required": ["what", "share"],
		"additionalProperties": false,
	})
	equal(_method("wave").spec(), {
		"name": "wave",
		"description": "Waves.",
		"parameters": {"type": "object", "properties": {}, "required": [], "additionalProperties": false},
	})


func test_the_description_narrows_arguments() -> void:
	equal(_method("open_door").spec().parameters.properties, {"door": {"type": "string", "enum": ["inn", "mill"]}})
	equal(_method("pay").spec().parameters.properties.coins, {"type": "integer", "minimum": 1, "maximum": 10})
	equal(_method("pay").spec().parameters.required, ["coins"])
	equal(_method("feel").spec().parameters.properties.mood, {"type": "string", "enum": ["CALM", "ANGRY"]})


func test_specs_are_made_of_json() -> void:
	_method("wave")
	for method_name: String in _body.callsheet_actions():
		check(not "&\"" in var_to_str(_method(method_name).spec()), "%s has a StringName" % method_name)


func test_the_action_itself_is_no_argument() -> void:
	equal(_method("think").spec().parameters.properties, {})


func test_arguments_reach_the_method_as_its_types() -> void:
	equal(_run("pay", {"coins": 3.0}).outcome, [true, "3 coins for Ann"])
	equal(_body.given, [[3, "Ann"]])
	equal(_run("pay", {"coins": 3, "to": "Bob"}).outcome, [true, "3 coins for Bob"])
	_run("feel", {"mood": "ANGRY"})
	equal(_body.given, [1])
	_run("note", {"what": ["a"], "share": 1})
	equal(_body.given, [[["a"], 1.0]])


func test_what_a_method_returns_is_its_outcome() -> void:
	equal(_run("open_door", {"door": "inn"}).outcome, [true, ""])
	equal(_run("open_door", {"door": "mill"}).outcome, [false, ""])
	equal(_run("wave").outcome, [true, ""])


func test_what_takes_time_completes_at_its_end() -> void:
	var action := _run("nap")
	check(not action.is_complete, "it was done before its end")
	_body.woken.emit()
	equal(action.outcome, [true, ""])


func test_a_method_may_complete_its_action_itself() -> void:
	var action := _run("think")
	check(not action.is_complete, "it was completed for the method")
	equal(_body.given, [action])


func test_arguments_that_do_not_fit_never_reach_the_method() -> void:
	var broken := {
		"open_door": [{}, {"door": "barn"}, {"door": 1}, {"door": "inn", "key": 1}, {"door": null}],
		"pay": [{"coins": 11}, {"coins": 0}, {"coins": 1.5}, {"coins": "3"}, {"coins": NAN}, {"coins": true}],
		"feel": [{"mood": "SAD"}, {"mood": 1}],
	}
	for method_name: String in broken:
		for given: Dictionary in broken[method_name]:
			var action := _run(method_name, given)
			check(action.is_complete and action.outcome[0] == false, "%s took %s" % [method_name, given])
			equal(_body.given, [], "%s was given %s" % [method_name, given])


func test_what_no_method_can_do_is_a_fault() -> void:
	check("no method" in ActionMethod.new(_body, "fly", "Flies.").fault, "fly")
	check("model can name" in ActionMethod.new(_body, "add_child", "Adds.").fault, "add_child")


func test_actions_are_those_of_the_body_and_not_of_another_npc() -> void:
	var town := Node2D.new()
	var body := Body.new()
	var npc := CallsheetNpc.new()
	body.add_child(npc)
	town.add_child(body)
	var guest := Body.new()
	guest.add_child(CallsheetNpc.new())
	body.add_child(guest)
	var actions := NpcActions.new(npc)
	check(actions.have_changed(), "nothing to tell")
	equal(actions.told.size(), body.callsheet_actions().size())
	check(not actions.have_changed(), "told again")
	body.doors.clear()
	check(actions.have_changed(), "no door is left, and it is not told")
	check(not actions.told.any(func(spec: Dictionary) -> bool: return spec.name == "open_door"), "it may open no door")
	check(not actions.run(Told.new("fly", {})), "it flies")
	var wave := Told.new("wave", {})
	check(actions.run(wave), "it does not wave")
	equal([body.given, guest.given], [["waved"], []])
	var nap := Told.new("nap", {})
	actions.run(nap)
	actions.fail_running("it left")
	equal(nap.outcome, [false, "nap: it left"])
	town.free()
