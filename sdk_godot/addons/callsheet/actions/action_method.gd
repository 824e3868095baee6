## A method that an NPC may call, as [code]callsheet_actions()[/code] of its node describes it.

const Parameter := preload("action_parameter.gd")

var name: String

## Why no NPC can do it; empty if one can.
var fault := ""

var _host: Node
var _description := ""
var _parameters: Array[Parameter] = []


## [param described] is a text, or a dictionary with [code]description[/code] and what its parameters may be.
func _init(host: Node, method_name: String, described: Variant) -> void:
	_host = host
	name = method_name
	var about: Dictionary = described if described is Dictionary else {"description": str(described)}
	_description = about.get("description", "")
	var infos := host.get_method_list().filter(func(info: Dictionary) -> bool: return info.name == name)
	if infos.is_empty():
		fault = "%s has no method of that name" % host.name
		return
	var info: Dictionary = infos[-1]
	for argument: Dictionary in info.args:
		var parameter := Parameter.new(argument, about.get(argument.name))
		fault = parameter.fault() if fault.is_empty() else fault
		_parameters.append(parameter)
	var first_default: int = info.args.size() - info.default_args.size()
	for index in range(first_default, _parameters.size()):
		_parameters[index].is_optional = true
		_parameters[index].default = info.default_args[index - first_default]


## True if nothing is there that one of its arguments could name now.
func is_impossible_now() -> bool:
	return _parameters.any(func(parameter: Parameter) -> bool: return parameter.is_nameless() and not parameter.is_optional)


## As the protocol tells it.
func spec() -> Dictionary:
	var properties := {}
	var required := []
	for parameter in _parameters:
		if parameter.is_action or parameter.is_nameless():
			continue
		properties[parameter.name] = parameter.schema()
		if not parameter.is_optional:
			required.append(parameter.name)
	return {
		"name": name,
		"description": _description,
		"parameters": {
			"type": "object",
			"properties": properties,
			"required": required,
			"additionalProperties": false,
		},
	}


## Call the method; the server is told what becomes of the action, also of arguments that do not fit.
func run(action: CallsheetAction) -> void:
	var values := []
	var broken := _fill(values, action)
	if broken:
		action.complete(false, "%s: %s" % [name, broken])
		return
	if _parameters.any(func(parameter: Parameter) -> bool: return parameter.is_action):
		_host.callv(name, values)
	else:
		_follow(_host, name, values, action)


## Static: what waits here outlives the object that describes the method.
static func _follow(host: Node, method_name: String, values: Array, action: CallsheetAction) -> void:
	@warning_ignore("redundant_await")
	var result: Variant = await host.callv(method_name, values)
	if not action.is_complete:
		action.complete(result if result is bool else true, result if result is String else "")


## Put the arguments in the order of the parameters; returns why they do not fit, or nothing.
func _fill(values: Array, action: CallsheetAction) -> String:
	for given: String in action.arguments:
		if not _parameters.any(func(parameter: Parameter) -> bool: return parameter.name == given and not parameter.is_action):
			return "there is no parameter '%s'" % given
	for parameter in _parameters:
		if parameter.is_action:
			values.append(action)
		elif not action.arguments.has(parameter.name):
			if not parameter.is_optional:
				return "the argument '%s' is missing" % parameter.name
			values.append(parameter.default)
		elif not parameter.takes(action.arguments[parameter.name]):
			return "the argument '%s' must be %s, it is %s" % [parameter.name, parameter.describe(), action.arguments[parameter.name]]
		else:
			values.append(parameter.convert_value(action.arguments[parameter.name]))
	return ""
