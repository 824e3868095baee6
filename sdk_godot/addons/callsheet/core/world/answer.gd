@tool
class_name CallsheetAnswer
extends "../client/request_handler.gd"
## The answer to a request, once it comes: `await answer.finished()`.

## It has come, or never will.
signal completed

var is_complete := false
## The message that the server answered with; empty before that, and if it failed.
var result := {}
## Why it failed; null if it did not.
var error: CallsheetError


## Wait for the answer, and return it.
func finished() -> CallsheetAnswer:
	if not is_complete:
		await completed
	return self


func on_message(message: Dictionary) -> void:
	result = message
	is_complete = true
	completed.emit()


func on_failed(why: CallsheetError) -> void:
	error = why
	is_complete = true
	completed.emit()
