"""The tokens that let clients in: from the settings, and from a file that may change at any time.

[[token]]
name = "studio"         # stands in logs in the token's place
role = "game"
secret = "..."          # at least 16 characters
world = "town"          # left out = any world
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, get_args

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError

from callsheet.wire.fields import Name, Role, WorldId
from callsheet_server.toml_file import TomlError, read_toml
from callsheet_server.transport.errors import SettingFileError
from callsheet_server.transport.settings import MIN_TOKEN_CHARS, ServerSettings

__all__ = ["AccessToken", "TokenFile", "tokens_of"]

logger = logging.getLogger(__name__)

POLL_S = 1.0
"""Time between two looks at the file."""
EXAMPLE: Final = '[[token]] with name = "studio", role = "game" and secret = "..." under it'


@dataclass(frozen=True, slots=True)
class AccessToken:
    """Token that lets in who presents its secret."""

    name: str
    """For people; unique."""
    role: Role
    secret: str = field(repr=False)
    world: WorldId | None = None
    """The one world it is good for; None = all."""


class _Entry(BaseModel):
    """A token as the file tells it."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    name: Name
    role: Role
    secret: Annotated[SecretStr, Field(min_length=MIN_TOKEN_CHARS, max_length=1024)]
    world: WorldId | None = None


class _Entries(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    token: tuple[_Entry, ...] = ()


def tokens_of(settings: ServerSettings) -> tuple[AccessToken, ...]:
    """The tokens the settings hold themselves, at most one a role; each is good for all worlds."""
    return tuple(
        AccessToken(f"server.{role}_token", role, secret.get_secret_value())
        for role in get_args(Role)
        if (secret := getattr(settings, f"{role}_token")) is not None
    )


class TokenFile:
    """The file of ``server.token_file``. Reading blocks; one thread at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._seen: tuple[int, int, int] | None = None

    def read(self) -> tuple[AccessToken, ...]:
        """Read the file.

        Raises:
            SettingFileError: it cannot be read, or an entry is not valid. Names no secret.
        """
        self._seen = None
        try:
            self._seen = self._stamp()
            entries = _Entries.model_validate(read_toml(self._path)).token
        except OSError as error:
            raise self._unusable(f"cannot be read: {error.strerror}") from None
        except TomlError:
            # What the parser says may quote the line, and the line may hold a secret.
            raise self._unusable(
                f"not valid TOML; it holds {EXAMPLE}, once for each token"
            ) from None
        except ValidationError as error:
            first = error.errors(include_url=False, include_input=False)[0]
            where = ".".join(map(str, first["loc"]))
            raise self._unusable(f"{where}: {first['msg']}; an entry is {EXAMPLE}") from None
        for kind, values in (
            ("name", [entry.name for entry in entries]),
            ("secret", [entry.secret.get_secret_value() for entry in entries]),
        ):
            if len(set(values)) < len(values):
                twice = Counter(values).most_common(1)[0][0] if kind == "name" else "one of them"
                raise self._unusable(
                    f"every token needs a {kind} of its own; {twice} is there twice"
                )
        return tuple(
            AccessToken(e.name, e.role, e.secret.get_secret_value(), e.world) for e in entries
        )

    def read_if_changed(self) -> tuple[AccessToken, ...] | None:
        """Read the file as ``read`` does if it has changed since; None = it has not."""
        try:
            changed = self._stamp() != self._seen
        except OSError:
            changed = self._seen is not None
        return self.read() if changed else None

    async def follow(self, use: Callable[[tuple[AccessToken, ...]], None]) -> None:
        """Call ``use`` whenever the file has changed; for good.

        While the file cannot be used, nothing is called, and the log says why.
        """
        while True:
            await asyncio.sleep(POLL_S)
            try:
                changed = await asyncio.to_thread(self.read_if_changed)
            except SettingFileError as error:
                logger.error("%s; the tokens it had before stay good", error)
                continue
            if changed is not None:
                logger.info("%d tokens in server.token_file", len(changed))
                use(changed)

    def _stamp(self) -> tuple[int, int, int]:
        stat = self._path.stat()
        return stat.st_mtime_ns, stat.st_size, stat.st_ino

    def _unusable(self, why: str) -> SettingFileError:
        return SettingFileError(f"server.token_file = {self._path}: {why}")
