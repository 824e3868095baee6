"""One file over HTTP: goes on where it was broken off, and is checked when it is whole."""

from __future__ import annotations

import errno
import hashlib
import re
import shutil
import ssl
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from email.message import Message
from http import HTTPStatus
from http.client import HTTPException
from pathlib import Path
from typing import Any, Final

import certifi
from filelock import FileLock

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError

__all__ = ["download"]

TIMEOUT_S: Final = 20.0
"""Silence of the other side after which a connection counts as broken."""
TRIES: Final = 4
"""Connections in a row that may break without a single new byte."""
PIECE_BYTES: Final = 1 << 20
DISK_FULL: Final = frozenset({errno.ENOSPC, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class _Facts:
    """Facts that the other side tells of a file, each as far as it does."""

    size_bytes: int | None
    sha256: str | None


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def download(
    url: str, part: Path, label: str, report: Callable[[Progress], None], token: str | None = None
) -> Path:
    """Fetch a file, from where an earlier call was broken off if the other side can do that.

    Args:
        url: of the file. A hub tells its SHA-256 in the header ``X-Linked-Etag``.
        part: where it grows; kept if this fails, unless what arrived is wrong.
        label: names it, to ``report`` and in errors.
        report: told of the progress.
        token: for the host of ``url`` alone, as a bearer.

    Returns:
        ``part``, complete.

    Raises:
        EngineStartError: it cannot be had; the text says why and what to do.
    """
    part.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{part}.lock"):
        try:
            facts = _facts(url, token)
            _check_space(part, facts, label)
            _fetch(url, part, facts, label, report, token)
            _check(part, facts, label)
        except urllib.error.HTTPError as error:
            raise EngineStartError(f"model {label}: {_refusal(error)}") from None
        except OSError as error:
            if error.errno in DISK_FULL:
                raise _full(part, label) from None
            raise EngineStartError(
                f"model {label}: it stopped at {_size(part) / 1e6:.0f} MB "
                f"({error}); the same command goes on from there. Without a connection, name the "
                "file of a model that you have"
            ) from None
    return part


def _facts(url: str, token: str | None) -> _Facts:
    opener = urllib.request.build_opener(_NoRedirects, _https())
    headers: Mapping[str, str] | Message
    try:
        with opener.open(_request(url, token, method="HEAD"), timeout=TIMEOUT_S) as answer:
            headers = answer.headers
    except urllib.error.HTTPError as error:  # A redirect: the hub's own headers are on it.
        if not 300 <= error.code < 400:
            raise
        headers = error.headers
    size = headers.get("X-Linked-Size") or headers.get("Content-Length") or ""
    etag = (headers.get("X-Linked-Etag") or "").strip('"').lower()
    redirected = headers.get("Location") is not None and not headers.get("X-Linked-Size")
    return _Facts(
        size_bytes=int(size) if size.isdecimal() and not redirected else None,
        sha256=etag if re.fullmatch(r"[0-9a-f]{64}", etag) else None,
    )


def _fetch(
    url: str,
    part: Path,
    facts: _Facts,
    label: str,
    report: Callable[[Progress], None],
    token: str | None,
) -> None:
    in_vain = 0
    while facts.size_bytes is None or _size(part) < facts.size_bytes:
        before = _size(part)
        try:
            _go_on(url, part, facts, label, report, token)
            if facts.size_bytes is None:
                return
        except OSError as error:
            refused = isinstance(error, urllib.error.HTTPError) and error.code < 500
            in_vain = in_vain + 1 if _size(part) <= before else 0
            if refused or error.errno in DISK_FULL or in_vain >= TRIES:
                raise


def _go_on(
    url: str,
    part: Path,
    facts: _Facts,
    label: str,
    report: Callable[[Progress], None],
    token: str | None,
) -> None:
    """Append what one connection brings. Raises ``OSError`` if it is not all."""
    request = _request(url, token)
    if done := _size(part):
        request.add_header("Range", f"bytes={done}-")
    opener = urllib.request.build_opener(_https())
    with opener.open(request, timeout=TIMEOUT_S) as answer:
        goes_on = answer.status == HTTPStatus.PARTIAL_CONTENT
        done = done if goes_on else 0
        length = answer.headers.get("Content-Length") or ""
        total = facts.size_bytes or (done + int(length) if length.isdecimal() else 0)
        with part.open("ab" if goes_on else "wb") as file:
            try:
                while piece := answer.read(PIECE_BYTES):
                    file.write(piece)
                    done += len(piece)
                    report(Progress(f"{label}: download", done, total, "B"))
            except HTTPException as error:
                raise ConnectionError(f"the connection broke: {error!r}") from None
    if done < total:
        raise ConnectionError("the connection broke")


def _check(part: Path, facts: _Facts, label: str) -> None:
    size = _size(part)
    wrong = facts.size_bytes is not None and size != facts.size_bytes
    if not wrong and facts.sha256 is not None:
        with part.open("rb") as file:
            wrong = hashlib.file_digest(file, "sha256").hexdigest() != facts.sha256
    if wrong:
        part.unlink()
        raise EngineStartError(
            f"model {label}: what arrived is not what the other side announced (SHA-256 differs), "
            "and was deleted; pull it again, or from another mirror (HF_ENDPOINT)"
        )


def _check_space(part: Path, facts: _Facts, label: str) -> None:
    missing = (facts.size_bytes or 0) - _size(part)
    if missing > shutil.disk_usage(part.parent).free:
        raise _full(part, label, missing)


def _full(part: Path, label: str, missing_bytes: int = 0) -> EngineStartError:
    needs = f"{missing_bytes / 1e6:.0f} MB are missing, " if missing_bytes else ""
    free = shutil.disk_usage(part.parent).free
    return EngineStartError(
        f"model {label}: the disk of {part.parent} is full ({needs}{free / 1e6:.0f} MB are free); "
        "free some space, or set CALLSHEET_CACHE_DIR to another disk. What has arrived is kept"
    )


def _refusal(error: urllib.error.HTTPError) -> str:
    fix = {
        401: "accept its licence on its page, then set HF_TOKEN",
        403: "accept its licence on its page, then set HF_TOKEN",
        404: "check its name, or the mirror (HF_ENDPOINT)",
    }.get(error.code, "try again later")
    return f"{error.url} answers {error.code} {error.reason}: {fix}"


def _size(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _request(url: str, token: str | None, method: str = "GET") -> urllib.request.Request:
    request = urllib.request.Request(url, method=method)  # noqa: S310 - a hub's, or the user's
    request.add_header("Accept-Encoding", "identity")
    if token is not None:
        request.add_unredirected_header("Authorization", f"Bearer {token}")
    return request


def _https() -> urllib.request.HTTPSHandler:
    """Handler with the system's certificates and those of certifi: a bundle may find no others."""
    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return urllib.request.HTTPSHandler(context=context)
