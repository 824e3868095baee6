@tool
extends RefCounted
## Finds who is to blame for a spawn that the server refused. It refuses a spawn whole, and says why of the
## first fault it finds.

const Mover := preload("mover.gd")

## Dotted path of a spawn's field: npcs.INDEX.FIELD.
const PATH_PARTS := 3


## Those that the error is about, each with its own error; everybody if it names nobody.
static func find(error: CallsheetError, npcs: Array[Mover], players: Array[Mover]) -> Dictionary:
	var path := error.field.split(".", true, PATH_PARTS - 1)
	var all: Array[Mover] = npcs + players
	if path[0] != "npcs" and path[0] != "players":
		return _each(all, error)
	var kind := npcs if path[0] == "npcs" else players
	if path.size() > 1 and path[1].is_valid_int() and path[1].to_int() < kind.size():
		var own := _own(error, path[2] if path.size() > 2 else "")
		return _each(_same_fault(error, kind, kind[path[1].to_int()]), own)
	return _each(_surplus(error, kind), error)


## An adapter that the server does not know stands in many specs: all of them are found at once.
static func _same_fault(
	error: CallsheetError, kind: Array[Mover], first: Mover
) -> Array[Mover]:
	var found: Array[Mover] = [first]
	if error.code == "unknown_adapter":
		for mover in kind:
			var adapter: String = mover.spec.get("adapter", "")
			if mover != first and "\"%s\"" % adapter == error.value:
				found.append(mover)
	return found


## The last ones of a batch for which there is no room; all of them if the error has no numbers.
static func _surplus(error: CallsheetError, kind: Array[Mover]) -> Array[Mover]:
	var is_counted := error.value.is_valid_int() and not is_nan(error.limit)
	if error.code != "limit_exceeded" or not is_counted:
		return kind
	var surplus := error.value.to_int() - int(error.limit)
	return kind.slice(maxi(kind.size() - surplus, 0)) if surplus > 0 else kind


static func _own(error: CallsheetError, field: String) -> CallsheetError:
	var own := CallsheetError.new(error.code, error.message)
	own.field = field
	own.value = error.value
	own.limit = error.limit
	own.retry_after_s = error.retry_after_s
	own.request_id = error.request_id
	return own


static func _each(movers: Array[Mover], error: CallsheetError) -> Dictionary:
	var told := {}
	for mover in movers:
		if mover.presence == Mover.Presence.UNDER_WAY:
			told[mover] = error
	return told
