"""Every setting of the server in one frozen model, and where its values come from.

Later wins: the defaults, a TOML file (``--config FILE``, else ``callsheet.toml`` in the working
directory), environment variables (``CALLSHEET_SERVER__PORT=9000``), flags
(``--set server.port=9000``).
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from callsheet_server.engine.embedded.settings import EmbeddedSettings
from callsheet_server.engine.openai.settings import OpenAISettings
from callsheet_server.engine.scripted import ScriptedSettings
from callsheet_server.engine.sglang.settings import SglangSettings
from callsheet_server.limits.settings import LimitSettings, QuotaSettings
from callsheet_server.residency.settings import ResidencySettings
from callsheet_server.storage.settings import StorageSettings
from callsheet_server.talk.moderation import ModerationSettings
from callsheet_server.talk.settings import ReplySettings
from callsheet_server.toml_file import TomlError, read_toml
from callsheet_server.transport.settings import ServerSettings

__all__ = [
    "DEFAULT_FILE",
    "EngineSettings",
    "Key",
    "LoadedSettings",
    "Settings",
    "SettingsError",
    "describe",
    "load_settings",
]

DEFAULT_FILE = Path("callsheet.toml")
ENVIRONMENT_PREFIX = "CALLSHEET_"


class SettingsError(Exception):
    """A setting is wrong; the text names the key, the value, where it came from and the fix."""


class EngineSettings(BaseModel):
    """Choice of the engine that generates the text."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: Literal["auto", "llamacpp", "embedded", "sglang", "openai", "scripted"] = Field(
        default="auto",
        description="llamacpp = llama.cpp on this machine; embedded = torch in this process; "
        "sglang = an SGLang server; openai = any OpenAI-compatible endpoint; scripted = fixed "
        "replies, no model; auto = llamacpp where it can run the model, else embedded.",
    )
    llama_server: str | None = Field(
        default=None,
        min_length=1,
        description="A build of llama-server for the engine llamacpp, such as one for CUDA or "
        "Vulkan, or the URL (http://:KEY@HOST:PORT) of one that runs; none = the one of the "
        "package xllamacpp.",
    )


class Settings(BaseModel):
    """The server's settings; one field per section of the TOML file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    server: ServerSettings = ServerSettings()
    limits: LimitSettings = LimitSettings()
    storage: StorageSettings = StorageSettings()
    quota: QuotaSettings = QuotaSettings()
    residency: ResidencySettings = ResidencySettings()
    reply: ReplySettings = ReplySettings()
    moderation: ModerationSettings = ModerationSettings()
    engine: EngineSettings = EngineSettings()
    embedded: EmbeddedSettings = EmbeddedSettings()
    sglang: SglangSettings = SglangSettings()
    openai: OpenAISettings = OpenAISettings()
    scripted: ScriptedSettings = ScriptedSettings()


@dataclass(frozen=True, slots=True)
class Key:
    """One setting, as told to a person."""

    section: str
    field: str
    default: str
    """As TOML; "none" = left out, which TOML cannot write."""
    allowed: str
    description: str
    secret: bool

    @property
    def name(self) -> str:
        """Dotted: section.field."""
        return f"{self.section}.{self.field}"

    def value_in(self, settings: BaseModel) -> str:
        """The value in ``settings``, written like ``default``; a secret stays one."""
        value = settings.model_dump(mode="json")[self.section][self.field]
        return "(secret)" if self.secret and value is not None else _toml(value)


@dataclass(frozen=True, slots=True)
class LoadedSettings:
    """The settings and, for each dotted key that is not at its default, where it was set."""

    settings: Settings
    origins: Mapping[str, str]


def load_settings(
    file: Path | None = None,
    environment: Mapping[str, str] | None = None,
    flags: Iterable[str] = (),
    presets: Iterable[str] = (),
) -> LoadedSettings:
    """Read every source and validate the whole.

    Args:
        file: a TOML file that must exist; None = ``DEFAULT_FILE``, if it exists.
        environment: environment variables; those named ``CALLSHEET_SECTION__FIELD`` count.
        flags: ``section.field=value`` each.
        presets: like ``flags``, but everything else wins over them: a command's own defaults.

    Raises:
        SettingsError: for the first thing found wrong.
    """
    values: dict[str, Any] = {}
    origins: dict[str, str] = {}
    for key, value, origin in (
        *_read_flags(presets, "preset"),
        *_read_file(file),
        *_read_environment(environment or {}),
        *_read_flags(flags, "flag"),
    ):
        section, _, name = key.partition(".")
        values.setdefault(section, {})[name] = value
        origins[key] = origin
    known = {key.name: key for key in describe(Settings)}
    for key in origins:
        if key not in known:
            raise SettingsError(_unknown(key, origins[key], known))
    try:
        settings = Settings.model_validate(values)
    except ValidationError as error:
        raise SettingsError(_invalid(error, values, origins, known)) from None
    return LoadedSettings(settings, origins)


def describe(model: type[BaseModel]) -> list[Key]:
    """List the settings of ``model``: two levels, section and field, in order of definition."""
    schema = model.model_json_schema()
    types = schema["$defs"]
    defaults = model().model_dump(mode="json")
    keys = []
    for section, field in model.model_fields.items():
        section_model = field.annotation
        assert isinstance(section_model, type)
        assert issubclass(section_model, BaseModel)
        for name, entry in types[section_model.__name__]["properties"].items():
            keys.append(
                Key(
                    section=section,
                    field=name,
                    default=_toml(defaults[section][name]),
                    allowed=_allowed(entry, types),
                    description=entry.get("description", ""),
                    secret=_is_secret(entry),
                )
            )
    return keys


def _read_file(file: Path | None) -> Iterator[tuple[str, Any, str]]:
    if file is None:
        if not DEFAULT_FILE.is_file():
            return
        file = DEFAULT_FILE
    try:
        table = read_toml(file)
    except OSError as error:
        raise SettingsError(f"{file}: cannot be read: {error.strerror}") from None
    except TomlError as error:
        raise SettingsError(f"{file}: {error}") from None
    for section, fields in table.items():
        if not isinstance(fields, dict):
            raise SettingsError(
                f"{file}: {section}: a setting belongs in a section, such as [server] with "
                f"port = 8765 under it"
            )
        for name, value in fields.items():
            yield f"{section}.{name}", value, str(file)


def _read_environment(environment: Mapping[str, str]) -> Iterator[tuple[str, Any, str]]:
    for name, text in environment.items():
        if name.upper().startswith(ENVIRONMENT_PREFIX) and "__" in name:
            section, _, field = name[len(ENVIRONMENT_PREFIX) :].lower().partition("__")
            yield f"{section}.{field}", _parse(text), f"environment variable {name}"


def _read_flags(flags: Iterable[str], origin: str) -> Iterator[tuple[str, Any, str]]:
    for flag in flags:
        key, equals, text = flag.partition("=")
        if not equals or "." not in key:
            raise SettingsError(
                f"--set {key}: must be section.field=value, for example --set server.port=9000"
            )
        yield key.strip(), _parse(text), origin


def _parse(text: str) -> Any:
    """Text stands for itself, and the model makes numbers of it; "...", [...], {...} are JSON."""
    if text[:1] in ("[", "{", '"'):
        try:
            return json.loads(text)
        except ValueError:
            return text
    return text


def _unknown(key: str, origin: str, known: Mapping[str, Key]) -> str:
    near = difflib.get_close_matches(key, known, n=1, cutoff=0.6)
    fix = (
        f"did you mean {near[0]}?"
        if near
        else "`callsheet serve --list-settings` prints every setting"
    )
    return f"{key} (from {origin}): no such setting; {fix}"


def _invalid(
    error: ValidationError,
    values: Mapping[str, Any],
    origins: Mapping[str, str],
    known: Mapping[str, Key],
) -> str:
    """Say what is wrong with the first bad value."""
    first = error.errors(include_url=False)[0]
    location = [str(part) for part in first["loc"]]
    name = ".".join(location[:2])
    if name not in known:  # a rule of a whole section: no one field is to blame
        set_here = "; ".join(
            f"{key} from {origins[key]}" for key in origins if key.startswith(name)
        )
        return f"{name}: {first['msg'].removeprefix('Value error, ')} (set: {set_here})"
    key = known[name]
    value = "(secret)" if key.secret else repr(values[location[0]][location[1]])
    return f"{name} = {value} (from {origins[name]}): must be {key.allowed}"


def _toml(value: Any) -> str:
    if value is None:
        return "none"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return json.dumps(value)


def _is_secret(entry: Mapping[str, Any]) -> bool:
    return any(part.get("format") == "password" for part in entry.get("anyOf", [entry]))


def _allowed(entry: Mapping[str, Any], types: Mapping[str, Any]) -> str:
    """Put the JSON schema of one field into words; ``types`` are the schema's definitions."""
    if "anyOf" in entry:
        return " or ".join(_allowed(part, types) for part in entry["anyOf"])
    if "$ref" in entry:
        return _allowed(types[entry["$ref"].rpartition("/")[2]], types)
    if "enum" in entry:
        return "one of " + ", ".join(map(str, entry["enum"]))
    match entry.get("type"):
        case "integer" | "number" as kind:
            words = {
                "minimum": "at least",
                "exclusiveMinimum": "above",
                "maximum": "at most",
                "exclusiveMaximum": "below",
            }
            bounds = [f"{words[name]} {entry[name]}" for name in words if name in entry]
            noun = "a whole number" if kind == "integer" else "a number"
            return ", ".join([noun, *bounds])
        case "boolean":
            return "true or false"
        case "array":
            return "a list, each item " + _allowed(entry.get("items", {}), types)
        case "object":
            return "a table, each value " + _allowed(entry.get("additionalProperties", {}), types)
        case "null":
            return "left out"
        case "string":
            return "text, not empty" if entry.get("minLength") else "text"
        case _:
            return str(entry.get("const", "anything"))
