class_name Checks
extends Node
## Runs every method whose name begins with `test_`, and prints what failed.
##
## The engine here is a release build: it leaves `assert` out and goes on after a call on null, so a
## test calls `check` and `equal`.

var _current := ""
var _failures := PackedStringArray()


func _ready() -> void:
	RenderingServer.render_loop_enabled = false  # nobody looks
	var count := 0
	for method: Dictionary in get_method_list():
		var method_name: String = method.name
		if method_name.begins_with("test_"):
			count += 1
			await _run_check(method_name)
	if count == 0:
		_failures.append("no test in %s" % get_script().resource_path)
	for failure in _failures:
		print("FAILED ", failure)
	if _failures.is_empty():
		print("PASSED %d" % count)


## Tell that something does not hold.
func check(holds: bool, what: String) -> void:
	if not holds:
		_failures.append("%s: %s" % [_current, what])


## Compare two values of the same type.
func equal(found: Variant, expected: Variant, what := "value") -> void:
	var same: bool = typeof(found) == typeof(expected) and found == expected
	check(same, "%s is %s, not %s" % [what, var_to_str(found), var_to_str(expected)])


func _run_check(method_name: String) -> void:
	_current = method_name
	print("running ", method_name)
	var before := _failures.size()
	@warning_ignore("redundant_await")
	await call(method_name)
	if _failures.size() == before:
		print("passed ", method_name)
