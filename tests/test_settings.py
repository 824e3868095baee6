from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_server.app.settings import Settings, SettingsError, describe, load_settings


@pytest.fixture(autouse=True)
def empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(*flags: str, file: Path | None = None, **environment: str) -> str:
    with pytest.raises(SettingsError) as caught:
        load_settings(file, environment, flags)
    return str(caught.value)


def test_without_any_source_the_defaults_hold() -> None:
    loaded = load_settings()
    assert loaded.settings == Settings()
    assert loaded.origins == {}


def test_later_sources_win_key_by_key(empty_folder: Path) -> None:
    file = empty_folder / "town.toml"
    file.write_text("[server]\nport = 1\nhost = '::1'\nresume_grace_s = 1.5\n")
    loaded = load_settings(
        file,
        {"CALLSHEET_SERVER__PORT": "2", "CALLSHEET_SERVER__RESUME_GRACE_S": "2.5"},
        ["server.port=3"],
    )
    assert (loaded.settings.server.port, loaded.origins["server.port"]) == (3, "flag")
    assert loaded.settings.server.resume_grace_s == 2.5
    assert (
        loaded.origins["server.resume_grace_s"]
        == "environment variable CALLSHEET_SERVER__RESUME_GRACE_S"
    )
    assert (loaded.settings.server.host, loaded.origins["server.host"]) == ("::1", str(file))


def test_a_file_in_the_working_directory_is_read_unless_another_is_named(
    empty_folder: Path,
) -> None:
    (empty_folder / "callsheet.toml").write_text("[server]\nport = 1\n")
    (empty_folder / "other.toml").write_text("[limits]\nmax_sessions = 7\n")
    assert load_settings().settings.server.port == 1
    other = load_settings(Path("other.toml")).settings
    assert (other.server.port, other.limits.max_sessions) == (8765, 7)


def test_other_variables_are_none_of_ours() -> None:
    environment = {"CALLSHEET_VENV": "x", "CALLSHEET_CACHE_DIR": "y", "PATH": "z"}
    assert load_settings(None, environment).origins == {}


def test_a_bad_value_names_key_value_origin_and_what_is_allowed(empty_folder: Path) -> None:
    file = empty_folder / "callsheet.toml"
    file.write_text("[server]\nport = 70000\n")
    allowed = "must be a whole number, at least 0, at most 65535"
    assert refused() == f"server.port = 70000 (from callsheet.toml): {allowed}"
    assert refused(CALLSHEET_SERVER__PORT="x") == (
        f"server.port = 'x' (from environment variable CALLSHEET_SERVER__PORT): {allowed}"
    )
    assert refused("server.port=-1") == f"server.port = '-1' (from flag): {allowed}"
    assert refused("engine.name=gpt", "server.port=1") == (
        "engine.name = 'gpt' (from flag): must be one of auto, llamacpp, embedded, "
        "sglang, openai, scripted"
    )


@pytest.mark.parametrize("text", ["nan", "inf", "-1", "", "true", "[1]", "{"])
def test_numbers_are_finite_and_within_bounds(text: str) -> None:
    message = refused(f"server.heartbeat_interval_s={text}")
    assert "must be a number, above 0, at most 300" in message


def test_a_misspelt_key_gets_a_suggestion_and_its_value_is_not_shown() -> None:
    message = refused("server.game_tokn=hunter2")
    assert (
        message == "server.game_tokn (from flag): no such setting; did you mean server.game_token?"
    )
    assert "did you mean server.port?" in refused(CALLSHEET_SEVER__PORT="1")
    assert "--list-settings" in refused("zzz.qqq=1")


def test_a_token_is_never_shown() -> None:
    assert "hunter2" not in refused('server.game_token=["hunter2"]')
    settings = load_settings(flags=["server.game_token=hunter2"]).settings
    assert settings.server.game_token is not None
    assert settings.server.game_token.get_secret_value() == "hunter2"
    token = next(key for key in describe(Settings) if key.name == "server.game_token")
    assert token.secret
    assert "hunter2" not in token.value_in(settings) + repr(settings)


def test_a_file_that_cannot_be_used_says_so(empty_folder: Path) -> None:
    missing = empty_folder / "none.toml"
    assert refused(file=missing) == f"{missing}: cannot be read: No such file or directory"
    broken = empty_folder / "broken.toml"
    broken.write_text("[server\nport=1")
    assert "not valid TOML" in refused(file=broken)
    broken.write_bytes(b"\xff\xfe")
    assert "not UTF-8 text" in refused(file=broken)
    broken.write_text("port = 1")
    assert "a setting belongs in a section" in refused(file=broken)
    broken.write_text("[server.port]\nx = 1")
    assert "server.port = {'x': 1}" in refused(file=broken)


def test_a_file_of_a_windows_editor_is_read(tmp_path: Path) -> None:
    file = tmp_path / "callsheet.toml"
    file.write_bytes(b"\xef\xbb\xbf[server]\r\nport = 9000\r\n")
    assert load_settings(file, {}).settings.server.port == 9000


def test_a_windows_path_in_double_quotes_gets_a_hint(tmp_path: Path) -> None:
    file = tmp_path / "callsheet.toml"
    for folder in ("C:\\Users\\ann", "C:\\data\\worlds"):
        file.write_text(f'[storage]\ndirectory = "{folder}"\n', encoding="utf-8")
        assert "write paths in single quotes" in refused(file=file)


@pytest.mark.parametrize("flag", ["port=1", "server.port", "=", ""])
def test_a_flag_must_be_key_and_value(flag: str) -> None:
    assert "must be section.field=value" in refused(flag)


@given(st.text(max_size=20), st.text(max_size=20))
def test_no_text_in_a_variable_raises_anything_else(field: str, text: str) -> None:
    try:
        load_settings(None, {f"CALLSHEET_SERVER__{field}": text})
        load_settings(None, {"CALLSHEET_SERVER__PORT": text})
    except SettingsError:
        pass


def test_every_setting_is_described_and_names_its_unit() -> None:
    keys = describe(Settings)
    assert len(keys) > 20
    for key in keys:
        assert key.description.endswith("."), key.name
        assert key.allowed != "anything", key.name
        assert key.value_in(Settings()) == key.default, key.name


def test_the_settings_as_printed_are_a_file_that_can_be_read_back(empty_folder: Path) -> None:
    given = Settings.model_validate(
        {
            "moderation": {"safe_line": 'a "quoted" \\ line'},
            "server": {"port": 1},
            "engine": {"name": "scripted"},
        }
    )
    lines: dict[str, list[str]] = {}
    for key in describe(Settings):
        value = key.value_in(given)
        if value != "none":
            lines.setdefault(f"[{key.section}]", []).append(f"{key.field} = {value}")
    text = "\n".join(line for section, fields in lines.items() for line in (section, *fields))
    (empty_folder / "callsheet.toml").write_text(text)
    assert load_settings().settings == given


def test_settings_are_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        Settings().server = Settings().server


def test_there_are_only_settings_that_somebody_will_change() -> None:
    """Check that what is the same on every machine is a constant, its reason beside it."""
    assert len(describe(Settings)) < 100


def test_a_text_in_quotes_stands_for_what_is_in_them() -> None:
    settings = load_settings(flags=['storage.directory=""']).settings
    assert settings.storage.directory == ""
