"""The token file: what is in it, what is wrong with it, and that it never shows a secret."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from callsheet_server.transport.access_tokens import AccessToken, TokenFile, tokens_of
from callsheet_server.transport.errors import SettingFileError
from callsheet_server.transport.settings import ServerSettings

SECRET = "correct-horse-battery"
GOOD = f"""
[[token]]
name = "studio"
role = "game"
secret = "{SECRET}"

[[token]]
name = "town only"
role = "mod"
secret = "{SECRET}-2"
world = "town"
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "tokens.toml"


def test_the_file_holds_tokens(path: Path) -> None:
    path.write_text(GOOD)
    assert TokenFile(path).read() == (
        AccessToken("studio", "game", SECRET),
        AccessToken("town only", "mod", f"{SECRET}-2", world="town"),
    )


def test_an_empty_file_holds_none(path: Path) -> None:
    path.write_text("# nobody\n")
    assert TokenFile(path).read() == ()


@pytest.mark.parametrize(
    ("text", "named"),
    [
        (f'[[token]]\nname = "a"\nrole = "king"\nsecret = "{SECRET}"', "token.0.role"),
        (f'[[token]]\nname = "a"\nrole = "game"\nsecret = "{SECRET[:15]}"', "at least 16"),
        ('[[token]]\nname = "a"\nrole = "game"', "token.0.secret"),
        (f'[[token]]\nname = "a"\nrole = "game"\nsecret = "{SECRET}"\nworlds = 1', "worlds"),
        (f'[[token]]\nname = "a"\nsecret = "{SECRET}', "not valid TOML"),
        (f'secret = "{SECRET}"', "secret"),
        (GOOD.replace("town only", "studio"), "studio is there twice"),
        (GOOD.replace("-2", ""), "every token needs a secret of its own"),
    ],
)
def test_what_is_wrong_is_named_and_no_secret_is_shown(path: Path, text: str, named: str) -> None:
    path.write_text(text)
    with pytest.raises(SettingFileError) as raised:
        TokenFile(path).read()
    assert named in str(raised.value)
    assert str(path) in str(raised.value)
    assert SECRET[:15] not in str(raised.value)


def test_a_file_that_is_not_there_is_named(path: Path) -> None:
    with pytest.raises(SettingFileError, match=r"tokens\.toml: cannot be read"):
        TokenFile(path).read()


def test_it_is_read_again_only_if_it_changed(path: Path) -> None:
    path.write_text(GOOD)
    file = TokenFile(path)
    file.read()
    assert file.read_if_changed() is None
    path.write_text("")
    assert file.read_if_changed() == ()
    assert file.read_if_changed() is None
    path.write_text(GOOD)
    os.utime(path, ns=(1, 1))
    assert len(file.read_if_changed() or ()) == 2
    path.unlink()
    with pytest.raises(SettingFileError):
        file.read_if_changed()
    assert file.read_if_changed() is None, "told of once"


def test_a_broken_file_is_told_of_once_and_read_when_it_is_mended(path: Path) -> None:
    path.write_text(GOOD)
    file = TokenFile(path)
    file.read()
    path.write_text("[[token")
    with pytest.raises(SettingFileError):
        file.read_if_changed()
    assert file.read_if_changed() is None
    path.write_text("")
    assert file.read_if_changed() == ()


def test_settings_are_tokens_too() -> None:
    tokens = tokens_of(ServerSettings.model_validate({"mod_token": "sesame"}))
    assert tokens == (AccessToken("server.mod_token", "mod", "sesame"),)
