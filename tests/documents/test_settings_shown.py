"""Settings files that the documents show: a server takes them as they stand there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
import yaml
from documents.test_code import DOCUMENTS, ROOT

from callsheet_server.app.settings import load_settings
from callsheet_server.transport.access_tokens import TokenFile

_TOML = re.compile(r"^( *)\[\[?\w+\]\]?\n(?:(?:\1.+)?\n)*?(?=\n\S|\Z|```|\n\1# \w+\.toml)", re.M)
_YAML = re.compile(r"^    scrape_configs:\n(?:     .*\n)+", re.M)


def shown(pattern: re.Pattern[str]) -> dict[str, str]:
    return {
        f"{path.relative_to(ROOT)}:{text[: found.start()].count(chr(10)) + 1}": textwrap.dedent(
            found.group()
        )
        for path in DOCUMENTS
        for text in [path.read_text(encoding="utf-8")]
        for found in pattern.finditer(text)
    }


SETTINGS = {at: text for at, text in shown(_TOML).items() if re.match(r"\[[a-z]", text)}
TOKENS = {at: text for at, text in shown(_TOML).items() if text.startswith("[[token]]")}
SCRAPES = shown(_YAML)


def test_there_are_some_of_every_kind() -> None:
    assert len(SETTINGS) > 5
    assert len(TOKENS) == 1
    assert len(SCRAPES) > 1


@pytest.mark.parametrize("at", SETTINGS)
def test_a_server_takes_the_settings(at: str, tmp_path: Path) -> None:
    path = tmp_path / "callsheet.toml"
    path.write_text(SETTINGS[at], encoding="utf-8")
    assert load_settings(path).origins


@pytest.mark.parametrize("at", TOKENS)
def test_a_server_takes_the_tokens(at: str, tmp_path: Path) -> None:
    path = tmp_path / "tokens.toml"
    path.write_text(TOKENS[at], encoding="utf-8")
    path.chmod(0o600)
    assert len(TokenFile(path).read()) == TOKENS[at].count("[[token]]")


@pytest.mark.parametrize("at", SCRAPES)
def test_prometheus_takes_the_scrape(at: str) -> None:
    (job,) = yaml.safe_load(SCRAPES[at])["scrape_configs"]
    assert job["static_configs"][0]["targets"]
