@tool
## The command line that starts the server a URL asks for.

const DEFAULT_PORT := 8765


## The arguments of the program `callsheet`.
static func arguments(url: String) -> PackedStringArray:
	var found := RegEx.create_from_string("^wss?://(\\[[^\\]]*\\]|[^:/]*):(\\d+)").search(url)
	var port := int(found.get_string(2)) if found else DEFAULT_PORT
	return ["serve"] if port == DEFAULT_PORT else ["serve", "--port", str(port)]


## For example [code]callsheet serve --port 9000[/code].
static func of(url: String) -> String:
	return "callsheet " + " ".join(arguments(url))
