"""Time to import 10,000 characters, and how much of it is the tokenizer.

python loadtest/bench/cast_import.py [--characters N]

The characters are invented, with personas as long as those that people publish: a median of about
500 tokens. Cards, pictures and prompt files in turn, written to a folder that is removed again.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import struct
import tempfile
import time
import zlib
from collections.abc import Sequence
from pathlib import Path

from callsheet.cast import import_cast, write_cast
from callsheet_server.app.settings import Settings
from callsheet_server.tools.cast.measure import measure

WORDS = ("river", "mill", "guard", "bread", "quay", "lantern", "winter", "door", "road", "horse")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--characters", type=int, default=10_000)
    characters = parser.parse_args().characters
    yardstick = measure(Settings())
    if yardstick.count is None:
        parser.exit(1, "no tokenizer: callsheet models pull\n")
    counting_s = 0.0

    def count(texts: Sequence[str]) -> Sequence[int]:
        nonlocal counting_s
        began_s = time.perf_counter()
        counted = yardstick.count(texts) if yardstick.count else ()
        counting_s += time.perf_counter() - began_s
        return counted

    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_characters(folder, characters)
        began_s = time.perf_counter()
        cast, report = import_cast([folder], count=count)
        written = len(write_cast(cast))
        took_s = time.perf_counter() - began_s
    report.counted = yardstick.counted
    print(*report.lines(), sep="\n")
    print(
        f"{len(cast.npcs)} characters in {took_s:.1f} s, {counting_s:.1f} s of it tokens; "
        f"the cast file has {written / 1e6:.0f} MB"
    )


def write_characters(folder: Path, characters: int) -> None:
    """Write cards as JSON, cards in pictures and prompt files, in turn."""
    draw = random.Random(1)
    for number in range(characters):
        sentences = [" ".join(draw.choices(WORDS, k=12)).capitalize() + "." for _ in range(100)]
        persona = " ".join(sentences[: draw.randint(10, 60)])
        card = json.dumps(
            {
                "spec": "chara_card_v2",
                "data": {
                    "name": f"Person {number % 7_000}",
                    "description": "{{char}} lives here. " + persona,
                    "first_mes": "Well met, {{user}}.",
                    "mes_example": "{{user}}: Hello\n{{char}}: Good day.",
                },
            }
        ).encode()
        if number % 3 == 0:
            (folder / f"{number}.json").write_bytes(card)
        elif number % 3 == 1:
            (folder / f"{number}.png").write_bytes(picture(card))
        else:
            prompt = f"{{% block summary %}}{persona}{{% endblock %}}"
            (folder / f"person_{number:x}.prompt").write_text(prompt)


def picture(card: bytes) -> bytes:
    """Wrap a card in the smallest PNG."""
    body = b"chara\0" + base64.b64encode(card)
    chunk = struct.pack(">I", len(body)) + b"tEXt" + body
    return b"\x89PNG\r\n\x1a\n" + chunk + struct.pack(">I", zlib.crc32(b"tEXt" + body))


if __name__ == "__main__":
    main()
