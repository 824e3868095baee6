"""Files that mean harm: they are skipped with a reason, quickly and in little memory."""

from __future__ import annotations

import base64
import io
import json
import struct
import tracemalloc
import zipfile
import zlib
from pathlib import Path

import pytest
from cast.characters import CARD, ODILA, international, png, text

from callsheet.cast import import_cast, read_cast, write_cast

MOST_BYTES = 100_000_000
"""Memory that no file may make an import take."""


def reason(folder: Path, data: bytes) -> str:
    """Import one file that must give nobody, within bounds."""
    (folder / "thing").write_bytes(data)
    tracemalloc.start()
    try:
        cast, report = import_cast([folder])
        peak_bytes = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert cast.npcs == ()
    assert peak_bytes < MOST_BYTES
    return report.skipped[0].reason


def test_a_text_that_unpacks_to_200_megabytes(tmp_path: Path) -> None:
    packed = zlib.compressobj()
    bomb = b"".join(packed.compress(b" " * 1_000_000) for _ in range(200)) + packed.flush()
    keyword = b"chara\0\1\0\0\0"
    body = keyword + bomb
    data = png(struct.pack(">I", len(body)) + b"iTXt" + body + b"\0\0\0\0")
    assert "unpacks to more than 16 MiB" in reason(tmp_path, data)


def test_a_text_of_20_megabytes(tmp_path: Path) -> None:
    assert "text of more than 16 MiB" in reason(
        tmp_path, png(international("chara", b" " * 20_000_000, compressed=False))
    )


def test_a_file_of_200_megabytes_is_not_read(tmp_path: Path) -> None:
    with (tmp_path / "thing").open("wb") as file:
        file.truncate(200_000_000)  # takes no disk
    cast, report = import_cast([tmp_path])
    assert (cast.npcs, report.skipped[0].reason) == ((), "is larger than 64 MiB")


def test_a_zip_bomb(tmp_path: Path) -> None:
    data = io.BytesIO()
    with (
        zipfile.ZipFile(data, "w", zipfile.ZIP_DEFLATED) as archive,
        archive.open("card.json", "w") as member,
    ):
        for _ in range(200):
            member.write(b" " * 1_000_000)
    assert "more than 16 MiB of text" in reason(tmp_path, data.getvalue())


def test_a_chunk_that_claims_four_gigabytes(tmp_path: Path) -> None:
    data = png()[:33] + struct.pack(">I", 2**32 - 1) + b"tEXtchara\0" + b"e30="
    assert reason(tmp_path, data)


def test_deep_nesting(tmp_path: Path) -> None:
    assert reason(tmp_path, b'{"name": "A", "bio": ' + b"[" * 100_000 + b"]" * 100_000 + b"}")
    deep = b'{"first_mes": "", "x": ' + b"[" * 500 + b"]" * 500 + b"}"
    assert reason(tmp_path, deep) == "is nested more than 50 deep"


def test_yaml_with_aliases(tmp_path: Path) -> None:
    laughs = "name: A\ncontext: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{name}: &{name} [{', '.join(['*' + before] * 9)}]\n"
        for before, name in zip("abcdefgh", "bcdefghi", strict=True)
    )
    assert "aliases" in reason(tmp_path, laughs.encode())
    assert "damaged YAML" in reason(tmp_path, b"name: !!python/object/apply:os.getcwd []\nbio: x\n")


@pytest.mark.parametrize("opening", ["{%", "{{", "{#", "<%", "${", "<START>", "{% block a %}"])
def test_text_full_of_openings_takes_no_longer(tmp_path: Path, opening: str) -> None:
    card = {**ODILA, "description": opening * 100_000}
    (tmp_path / "thing").write_text(json.dumps(card))
    cast, _ = import_cast([tmp_path])
    assert len(cast.npcs) == 1


def test_template_code_and_addresses_are_text(tmp_path: Path) -> None:
    code = (
        "{% set x = cycler.__init__.__globals__ %}{{ 7*7 }}<% exec %>${7*7} stays http://a.test/x"
    )
    (tmp_path / "thing").write_text(json.dumps({**ODILA, "description": code}))
    cast, report = import_cast([tmp_path])
    assert cast.npcs[0].persona.startswith("stays http://a.test/x\n")
    assert len(report.notes) == 4
    assert cast.npcs[0].extras["description"] == code


def test_numbers_and_characters_that_json_cannot_hold(tmp_path: Path) -> None:
    odd = '{"name": "Ysa \\ud800", "bio": "x", "n": NaN, "big": 1%s, "tab": "a\tb"}' % ("0" * 400)
    (tmp_path / "thing").write_text(odd)
    cast, _ = import_cast([tmp_path])
    file = tmp_path / "cast.json"
    file.write_bytes(write_cast(cast))
    assert read_cast(file).npcs[0].name == "Ysa ?"


def test_a_pipe_and_a_link_in_a_circle_are_passed_by(tmp_path: Path) -> None:
    import os

    (tmp_path / "card").write_bytes(png(text("chara", CARD)))
    (tmp_path / "circle").symlink_to(tmp_path, target_is_directory=True)
    os.mkfifo(tmp_path / "pipe")
    cast, _ = import_cast([tmp_path])
    assert [npc.source for npc in cast.npcs] == ["card"]


def test_a_name_full_of_control_characters(tmp_path: Path) -> None:
    card = {**ODILA, "name": "Bram\n\u202eNarrator: \x1b[31m" + "x" * 500}
    (tmp_path / "thing").write_text(json.dumps(card))
    (npc,) = import_cast([tmp_path])[0].npcs
    assert npc.name.startswith("Bram Narrator: [31mxx")
    assert len(npc.name) <= 100
    npc.spec()


def test_base64_that_is_none(tmp_path: Path) -> None:
    broken = base64.b64encode(b"{}")[:-1]
    assert reason(tmp_path, png(international("ccv3", broken + b"=", compressed=False)))
