## Names of nodes as ids of the protocol, and as names to be spoken.

## Of the 64 that an id may have: room is left for a number.
const MAX_CHARS := 55
const ALLOWED := "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-"


## A name as an id, with a number added if it is taken.
static func free(name: String, is_taken: Callable) -> String:
	var id := from(name)
	var free_id := id
	var number := 2
	while is_taken.call(free_id):
		free_id = "%s-%d" % [id, number]
		number += 1
	return free_id


## A name as an id. ASCII that an id may not hold becomes an underscore; of every other script each
## character becomes its code point (村 = u6751), so that different names stay different.
static func from(name: String) -> String:
	var id := ""
	for character in name:
		var code := character.unicode_at(0)
		if code >= 128:
			id += "u%04x" % code
		else:
			id += character if character in ALLOWED else "_"
	if id.length() > MAX_CHARS:
		var tail := "-%08x" % name.hash()
		id = id.left(MAX_CHARS - tail.length()) + tail
	return id if id else "_"


## A name without the number that the editor appends to copies: "Guard2" is called Guard.
static func spoken(name: String) -> String:
	var bare := name.rstrip("0123456789").rstrip(" _-")
	return bare if bare else name
