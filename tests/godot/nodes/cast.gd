extends Checks
## Cast files: who is in them, and why one cannot be used.

const TEXT := '{"format": "callsheet.cast", "version": 1, "lore": "It rains.", "npcs": [
	{"npc": "bram", "name": "Bram", "persona": "You keep an inn.", "archetype": null, "sociability": 0.5, "facts": {"race": "human", "age": 40}},
	{"npc": "ida", "name": "Ida"}]}'


func test_a_cast_file_has_personas_by_id() -> void:
	var cast := CallsheetCast.parse(TEXT)
	equal(cast.fault, "")
	equal(cast.lore, "It rains.")
	equal(cast.personas.keys(), ["bram", "ida"])
	var bram: CallsheetPersona = cast.personas.bram
	equal([bram.display_name, bram.text, bram.archetype, bram.sociability], ["Bram", "You keep an inn.", "", 0.5])
	equal(bram.facts, {"race": "human", "age": 40})
	equal(typeof(bram.facts.age), TYPE_INT)
	equal(CallsheetCast.parse("\uFEFF" + TEXT).fault, "")


func test_a_file_of_something_else_tells_its_fault() -> void:
	equal(CallsheetCast.parse(TEXT.replace('"name": "Ida"', '"age": 3')).fault, "cast.npcs.1.name must be a text")
	equal(CallsheetCast.parse(TEXT.replace('0.5', '"much"')).fault, "cast.npcs.0.sociability must be a number")
	check(CallsheetCast.parse(TEXT.replace('"name": "Ida"', '"age": 3')).personas.is_empty(), "half a cast is used")


func test_a_file_that_is_not_there_tells_so() -> void:
	check("cannot be opened" in CallsheetCast.load_file("res://nobody.cast.json").fault, "no fault")
