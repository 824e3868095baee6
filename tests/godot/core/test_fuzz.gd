extends Checks
## Mutated server texts, by a fixed seed: a session takes them all and goes on.

const JsonParser := preload("res://addons/callsheet/core/json/json_parser.gd")
const Rig := preload("res://core/rig.gd")
const Session := preload("res://addons/callsheet/core/client/session.gd")

const ROUNDS := 4000
const TOKENS := "{}[]\",:\\0123456789eE+-.truefalsn \t\n"

var _chance := RandomNumberGenerator.new()


func test_mutated_vectors_never_raise() -> void:
	_chance.seed = 20261129
	var corpus := _corpus()
	check(corpus.size() > 400, "the corpus has %d texts" % corpus.size())
	var rig := Rig.new()
	rig.open()
	var handled := 0
	for i in ROUNDS:
		var text := _mutated(corpus[_chance.randi() % corpus.size()], corpus[_chance.randi() % corpus.size()])
		rig.line().deliver(text.to_utf8_buffer(), _chance.randi() % 50 > 0)
		if i % 16 == 0:
			rig.step(0.001)
			handled += 1
		if rig.session.state != Session.State.OPEN:
			rig.open(_chance.randi() % 2 == 0)
		rig.errors.clear()
		rig.received.clear()
	equal(handled, ROUNDS / 16)
	equal(rig.session.state, Session.State.OPEN)


func _corpus() -> Array[String]:
	var texts: Array[String] = []
	for path in DirAccess.get_files_at("res://vectors"):
		if not path.ends_with(".json"):
			continue
		var file: Dictionary = JsonParser.new().parse(FileAccess.get_file_as_bytes("res://vectors/" + path))
		if file.get("direction") == "server":
			for vector: Dictionary in file.valid:
				texts.append(vector.json)
	return texts


func _mutated(text: String, other: String) -> String:
	for n in _chance.randi_range(1, 4):
		var at := _chance.randi_range(0, text.length())
		match _chance.randi() % 6:
			0:
				text = text.left(at) + TOKENS[_chance.randi() % TOKENS.length()] + text.substr(at + 1)
			1:
				text = text.left(at) + text.substr(at + 1)
			2:
				text = text.left(at)
			3:
				text = text.insert(at, other.substr(_chance.randi() % other.length(), 40))
			4:
				text = text.insert(at, "[".repeat(_chance.randi() % 300))
			5:
				text = text.insert(at, "1e%d" % _chance.randi_range(-400, 400))
	return text
