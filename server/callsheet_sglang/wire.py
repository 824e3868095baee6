"""Wire format between the server and the plugin: routes and bodies, both directions.

Binary bodies are little-endian: one fixed header, then columns. Needs numpy only, so that a server
that talks to a remote SGLang imports neither sglang nor torch.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import orjson
from numpy.typing import NDArray

__all__ = [
    "ADAPTERS_PATH",
    "AUDIT_PATH",
    "DISTANCES_PATH",
    "MAX_NPCS",
    "NPCS_PATH",
    "RESIDENCY_PATH",
    "STATUS_PATH",
    "VERSION",
    "Distances",
    "Residency",
    "WireError",
    "decode_adapters",
    "decode_distances",
    "decode_residency",
    "encode_adapters",
    "encode_distances",
    "encode_error",
    "encode_residency",
    "npc_of",
    "session_id",
    "stamped",
]

VERSION = 1
SENDER_VERSION = 2
"""Version of a distance update that names its sender; one without is of the sender 0."""
MAX_SENDER = (1 << 63) - 1
MAX_NPCS = 1 << 20
"""Handles are dense from 0 and below this, so that a table indexed by handle stays small."""

DISTANCES_PATH = "/callsheet/v1/distances"
NPCS_PATH = "/callsheet/v1/npcs"
ADAPTERS_PATH = "/callsheet/v1/adapters"
RESIDENCY_PATH = "/callsheet/v1/residency"
STATUS_PATH = "/callsheet/v1/status"
AUDIT_PATH = "/callsheet/v1/audit"

DISTANCES_HEADER = struct.Struct("<4sHHQdI")
"""Magic, version, flags, seq, now_s, count."""
SENDER_DISTANCES_HEADER = struct.Struct("<4sHHQdQI")
"""The same with the sender before the count."""
NOW_OFFSET = struct.calcsize("<4sHHQ")
RESIDENCY_HEADER = struct.Struct("<4sHHQQI")
"""Magic, version, flags, version of the state, bytes per token, count."""
FULL = 1
"""The only flag."""
ABSENT = 3
"""``callsheet_residency.state.Tier.ABSENT``, the highest tier."""

SESSION = re.compile(r"npc-(0|[1-9][0-9]{0,6})(?:@([1-9a-f][0-9a-f]{0,15}))?", re.ASCII)


class WireError(ValueError):
    """A body is not what this module writes; the message names the field, its value, the limit."""


@dataclass(frozen=True, slots=True)
class Distances:
    """One update of invocation distances."""

    seq: int
    """Increasing; what is not newer than the last one taken in is ignored, unless it is full: that
    begins a new sequence, as a new sender does."""
    now_s: float
    """The sender's clock when it measured; its zero does not matter."""
    handles: NDArray[np.uint32]
    """(N,) uint32; of a handle named twice the later row counts."""
    distance_s: NDArray[np.float32]
    """(N,) float32, >= 0 seconds until the NPC's next call, counted from ``now_s``; +inf = none is
    expected; NaN = forget this NPC."""
    full: bool = False
    """True: handles of this sender that are not named are forgotten."""
    sender: int = 0
    """Number of the server whose NPCs these are; each sender counts its handles for itself. 0 = a
    server from before there were several."""


@dataclass(frozen=True, slots=True)
class Residency:
    """Places of the KV caches of some NPCs."""

    version: int
    """Pass it as ``since`` to be told only what has changed after this."""
    bytes_per_token: int
    handles: NDArray[np.uint32]
    """(N,) uint32."""
    tier: NDArray[np.uint8]
    """(N,) uint8, a ``callsheet_residency.state.Tier``."""
    device_tokens: NDArray[np.uint32]
    """(N,) uint32, tokens of the NPC's prefix that are on the device, shared ones included."""
    host_tokens: NDArray[np.uint32]
    """(N,) uint32, tokens of it that are in host memory, copies of those on the device included."""
    full: bool = False
    """True: every NPC known is named, and ones that are not are gone."""


def session_id(handle: int, sender: int = 0) -> str:
    """Return what a request of this NPC carries as its ``session_id``."""
    return f"npc-{handle}@{sender:x}" if sender else f"npc-{handle}"


def npc_of(session: str | None) -> tuple[int, int] | None:
    """The sender and the handle of the NPC whose ``session_id`` this is; None = none of ours."""
    match = SESSION.fullmatch(session or "")
    if match is None or int(match[1]) >= MAX_NPCS:
        return None
    sender = int(match[2] or "0", 16)
    return (sender, int(match[1])) if sender <= MAX_SENDER else None


def encode_distances(update: Distances) -> bytes:
    """Raises ``WireError`` as ``decode_distances`` would."""
    _check_distances(update)
    flags = FULL if update.full else 0
    own, count = (update.seq, update.now_s), len(update.handles)
    if update.sender:
        header = SENDER_DISTANCES_HEADER.pack(
            b"CSD1", SENDER_VERSION, flags, *own, update.sender, count
        )
    else:
        header = DISTANCES_HEADER.pack(b"CSD1", VERSION, flags, *own, count)
    columns = (update.handles.astype("<u4"), update.distance_s.astype("<f4"))
    return b"".join([header, *(column.tobytes() for column in columns)])


def decode_distances(body: bytes) -> Distances:
    """The arrays are read-only views of ``body``. Raises ``WireError``."""
    sender = 0
    if body[4:6] == SENDER_VERSION.to_bytes(2, "little"):
        head, columns = _split(
            body, b"CSD1", SENDER_DISTANCES_HEADER, ("<u4", "<f4"), SENDER_VERSION
        )
        full, seq, now_s, sender = head
    else:
        head, columns = _split(body, b"CSD1", DISTANCES_HEADER, ("<u4", "<f4"))
        full, seq, now_s = head
    update = Distances(seq, now_s, columns[0], columns[1], full, sender)
    _check_distances(update)
    return update


def stamped(body: bytes, now_s: float) -> bytes:
    """The same distance update by another clock: one for all senders."""
    return body[:NOW_OFFSET] + struct.pack("<d", now_s) + body[NOW_OFFSET + 8 :]


def encode_residency(state: Residency) -> bytes:
    """Raises ``WireError`` as ``decode_residency`` would."""
    _check_residency(state)
    flags = FULL if state.full else 0
    header = RESIDENCY_HEADER.pack(
        b"CSR1", VERSION, flags, state.version, state.bytes_per_token, len(state.handles)
    )
    columns = (
        state.handles.astype("<u4"),
        state.tier.astype("<u1"),
        state.device_tokens.astype("<u4"),
        state.host_tokens.astype("<u4"),
    )
    return b"".join([header, *(column.tobytes() for column in columns)])


def decode_residency(body: bytes) -> Residency:
    """The arrays are read-only views of ``body``. Raises ``WireError``."""
    head, columns = _split(body, b"CSR1", RESIDENCY_HEADER, ("<u4", "<u1", "<u4", "<u4"))
    full, version, bytes_per_token = head
    handles, tier, device_tokens, host_tokens = columns
    state = Residency(version, bytes_per_token, handles, tier, device_tokens, host_tokens, full)
    _check_residency(state)
    return state


def encode_adapters(adapters: Mapping[int, str | None], sender: int = 0) -> bytes:
    """Encode the adapter that each of these NPCs uses, as JSON; None = none."""
    npcs = [{"npc": handle, "adapter": adapter} for handle, adapter in adapters.items()]
    return orjson.dumps({"sender": sender, "npcs": npcs} if sender else {"npcs": npcs})


def decode_adapters(body: bytes) -> tuple[int, dict[int, str | None]]:
    """The sender, and what its NPCs use. Raises ``WireError``."""
    try:
        message = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise WireError(f"the body is not JSON: {error}") from None
    npcs = message.get("npcs") if isinstance(message, dict) else None
    if not isinstance(npcs, list):
        raise WireError('the body must be {"npcs": [{"npc": 12, "adapter": "smith" or null}, ...]}')
    sender = message.get("sender", 0)
    if type(sender) is not int or not 0 <= sender <= MAX_SENDER:
        raise WireError(f"sender is {sender!r}: give a whole number up to {MAX_SENDER}")
    adapters: dict[int, str | None] = {}
    for row, entry in enumerate(npcs):
        handle = entry.get("npc") if isinstance(entry, dict) else None
        if type(handle) is not int or not 0 <= handle < MAX_NPCS:
            raise WireError(f"npcs[{row}].npc is {handle!r}: give a whole number below {MAX_NPCS}")
        adapter = entry.get("adapter")
        if adapter is not None and (not isinstance(adapter, str) or not adapter):
            raise WireError(f"npcs[{row}].adapter is {adapter!r}: give a name, or null for none")
        adapters[handle] = adapter
    return sender, adapters


def encode_error(error: WireError) -> bytes:
    """Return what a route answers to a bad body, as JSON."""
    return orjson.dumps({"error": str(error)})


def _split(
    body: bytes,
    magic: bytes,
    header: struct.Struct,
    dtypes: tuple[str, ...],
    spoken: int = VERSION,
) -> tuple[tuple[Any, ...], list[NDArray[Any]]]:
    """Take a body apart: (full, the header's own fields), columns."""
    if len(body) < header.size:
        raise WireError(f"the body has {len(body)} bytes: its header alone takes {header.size}")
    found, version, flags, *own, count = header.unpack_from(body)
    if found != magic:
        raise WireError(f"the body begins with {found!r}, not with {magic!r}")
    if version != spoken:
        raise WireError(f"version is {version}, this side speaks {VERSION}: upgrade the older side")
    if flags & ~FULL:
        raise WireError(f"flags is {flags:#x}: only bit 0 (full) has a meaning")
    row_bytes = sum(np.dtype(dtype).itemsize for dtype in dtypes)
    if len(body) != (expected := header.size + count * row_bytes):
        raise WireError(f"count is {count}, so the body takes {expected} bytes, not {len(body)}")
    columns, offset = [], header.size
    for dtype in dtypes:
        column = np.frombuffer(body, dtype, count, offset)
        offset += column.nbytes
        columns.append(column)
    return (bool(flags & FULL), *own), columns


def _check_distances(update: Distances) -> None:
    _check_columns(update.handles, distance_s=update.distance_s)
    _check_u64("seq", update.seq)
    if not 0 <= update.sender <= MAX_SENDER:
        raise WireError(f"sender is {update.sender}: give a whole number up to {MAX_SENDER}")
    if not np.isfinite(update.now_s):
        raise WireError(f"now_s is {update.now_s}: give a finite number of seconds")
    if (bad := np.flatnonzero(update.distance_s < 0)).size:
        row = int(bad[0])
        raise WireError(
            f"distance_s[{row}] is {update.distance_s[row]}: give seconds >= 0, inf or NaN"
        )


def _check_residency(state: Residency) -> None:
    _check_columns(
        state.handles,
        tier=state.tier,
        device_tokens=state.device_tokens,
        host_tokens=state.host_tokens,
    )
    _check_u64("version", state.version)
    _check_u64("bytes_per_token", state.bytes_per_token)
    if (bad := np.flatnonzero(state.tier > ABSENT)).size:
        row = int(bad[0])
        raise WireError(f"tier[{row}] is {state.tier[row]}: tiers go from 0 to {ABSENT}")


def _check_columns(handles: NDArray[np.uint32], **columns: NDArray[Any]) -> None:
    for name, column in columns.items():
        if column.shape != (len(handles),):
            raise WireError(f"{name} has shape {column.shape} for {len(handles)} handles")
    if (bad := np.flatnonzero(handles >= MAX_NPCS)).size:
        row = int(bad[0])
        raise WireError(f"handles[{row}] is {handles[row]}: handles are below {MAX_NPCS}")


def _check_u64(name: str, value: int) -> None:
    if not 0 <= value < 1 << 64:
        raise WireError(f"{name} is {value}: it has 64 bits and no sign")
