@tool
extends RefCounted
## Who is told what becomes of a request.



## The request was sent for the first time, under this id.
func on_sent(_id: int) -> void:
	pass


## A message with the request's id: its answer; of `say` and `speak` also `reply_start`, `reply_delta`,
## `action` and, last, `reply_end`.
func on_message(_message: Dictionary) -> void:
	pass


## The request was refused, or the session ended before it was answered. Nothing follows.
func on_failed(_error: CallsheetError) -> void:
	pass
