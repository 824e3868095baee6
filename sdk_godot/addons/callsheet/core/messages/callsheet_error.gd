@tool
class_name CallsheetError
extends RefCounted
## Something that went wrong, with a code of the protocol's error tree.

const Protocol := preload("protocol.gd")

## No server answered, or the connection broke.
const CONNECTION_FAILED := "connection_failed"
## The session ended before the request was answered.
const SESSION_LOST := "session_lost"

## A code of the protocol, or one of the two above; `internal` for one that is newer than this client.
var code: String
## The branch of the error tree: protocol, auth, version, world, request, engine, session.
var kind: String
## One sentence for a developer, with the fix if there is one.
var message: String
## Dotted path of the field to blame; empty = none.
var field := ""
## The value to blame, shortened.
var value := ""
## The limit that was passed; NAN = none.
var limit := NAN
## When trying again makes sense, in seconds; NAN = not known.
var retry_after_s := NAN
## The request that failed; 0 = none is to blame.
var request_id := 0


func _init(error_code: String, text: String) -> void:
	code = error_code if Protocol.KINDS.has(error_code) else "internal"
	kind = Protocol.KINDS[code]
	message = text


## Read the message `error`.
static func of(error: Dictionary) -> CallsheetError:
	var read := CallsheetError.new(error.code, error.message)
	read.field = error.get("field", "")
	read.value = error.get("value", "")
	read.limit = error.get("limit", NAN)
	read.retry_after_s = error.get("retry_after_s", NAN)
	read.request_id = error.get("id", 0)
	return read


func _to_string() -> String:
	return "%s: %s" % [code, message]
