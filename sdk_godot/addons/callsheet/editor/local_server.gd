@tool
## Starts and stops a server on this machine.

const StartCommand := preload("../nodes/start_command.gd")

## What to run: `callsheet`, or its full path.
var program := "callsheet"

var _pid := 0


func is_running() -> bool:
	return _pid > 0 and OS.is_process_running(_pid)


## The arguments for a URL; scripted: fixed replies, no model.
static func arguments(url: String, scripted: bool) -> PackedStringArray:
	var found := StartCommand.arguments(url)
	if scripted:
		found.append_array(["--engine", "scripted"])
	return found


## Start it in a console of its own; returns why that failed, or nothing.
func start(url: String, scripted: bool) -> String:
	if is_running():
		return "the local server is running already"
	_pid = OS.create_process(program, arguments(url, scripted), true)
	if _pid > 0:
		return ""
	return "cannot start '%s'. Install it with: pip install \"callsheet[server]\"   If it is installed, give its full path in Editor Settings > callsheet/server_program" % program


func stop() -> void:
	if is_running():
		OS.kill(_pid)
	_pid = 0
