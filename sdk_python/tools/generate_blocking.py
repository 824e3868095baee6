"""Writes the blocking client from the asyncio client, so that the two cannot drift apart.

    python sdk_python/tools/generate_blocking.py          # writes
    python sdk_python/tools/generate_blocking.py --check  # exit status 1 if it is out of date

Both drivers have the same methods; the clients differ in ``async``, ``await`` and the words below.
"""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1] / "callsheet"
SOURCE, TARGET = PACKAGE / "client", PACKAGE / "blocking"
FRONT = '''"""The blocking client: the same surface without asyncio.

    with callsheet.blocking.connect("ws://127.0.0.1:8765", role="game", world="town") as game:
        game.spawn([NpcSpec(npc="bram", name="Bram")])
        for text in game.say("bram", "Good evening."):
            print(text, end="")

Its methods may be called from any thread. Callbacks run on the client's own thread and must not
call its methods. A wait longer than ``request_timeout_s`` raises ``TimeoutError``. With gevent,
patch ``socket``, ``threading`` and ``time`` before importing callsheet.
"""
'''
"""Docstring of the package."""
MARK = "\n# Generated from client/{name} by sdk_python/tools/generate_blocking.py; do not edit.\n"
ASYNC_ONLY = frozenset({"__await__"})
WORDS = {
    r"\basync (def|with|for)\b": r"\1",
    r"\bawait ": "",
    r"\bClient\b": "BlockingClient",
    r"\bReply\b": "BlockingReply",
    r"\bAsyncioDriver\b": "ThreadsDriver",
    r"\bdrivers\.aio\b": "drivers.threads",
    r"\bcallsheet\.client\b": "callsheet.blocking",
    r"\bAsync(Generator|Iterator)\b": "Iterator",
    r"\b__a(enter|exit|iter)__\b": r"__\1__",
    r"\banext\b": "next",
    r"from the event loop": "from the client's thread",
}


def generated(source: Path) -> str:
    """The blocking client's file for one of the asyncio client's."""
    text = source.read_text(encoding="utf-8")
    tree = ast.parse(text)
    lines = text.splitlines(keepends=True)
    dropped = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name in ASYNC_ONLY
    ]
    for node in sorted(dropped, key=lambda node: -node.lineno):
        del lines[node.lineno - 1 : node.end_lineno]
    docstring_lines = tree.body[0].end_lineno
    front = "".join(lines[:docstring_lines])
    body = "".join(lines[docstring_lines:])
    for pattern, replacement in WORDS.items():
        front, body = (re.sub(pattern, replacement, part) for part in (front, body))
    if source.name == "__init__.py":
        front = FRONT
    made = front + MARK.format(name=source.name) + body
    made = _ruff("check", "--fix-only", "--select", "F401,I001", source.name, made)
    return _ruff("format", source.name, made)


def _ruff(*arguments: str) -> str:
    *command, name, text = arguments
    run = [
        sys.executable,
        "-m",
        "ruff",
        *command,
        "-q",
        "--stdin-filename",
        str(TARGET / name),
        "-",
    ]
    return subprocess.run(  # noqa: S603
        run, input=text, capture_output=True, text=True, encoding="utf-8", check=True
    ).stdout


def main() -> int:
    """Write the files, or check them; return the exit status."""
    TARGET.mkdir(exist_ok=True)  # ruff sorts imports after what is there
    texts = {TARGET / source.name: generated(source) for source in sorted(SOURCE.glob("*.py"))}
    there = {path: path.read_text(encoding="utf-8") for path in TARGET.glob("*.py")}
    if sys.argv[1:] == ["--check"]:
        if stale := there != texts:
            sys.stderr.write("callsheet/blocking is out of date, run generate_blocking.py\n")
        return int(stale)
    for path in there.keys() - texts.keys():
        path.unlink()
    for path, text in texts.items():
        path.write_text(text, encoding="utf-8", newline="\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
