"""Description of a GGUF file by itself, read from its header alone.

A file that cannot be run is refused here, before anything is loaded. The format is described in
ggml's own docs/gguf.md.
"""

from __future__ import annotations

import hashlib
import mmap
import struct
from dataclasses import dataclass
from math import prod
from pathlib import Path
from typing import Any, Final

from callsheet_server.engine.engine import Sampling
from callsheet_server.engine.errors import EngineStartError

__all__ = ["GgufFile", "read_gguf", "read_gguf_adapter"]

_SCALARS: Final = {
    0: "<B", 1: "<b", 2: "<H", 3: "<h", 4: "<I", 5: "<i", 6: "<f",
    7: "<?", 10: "<Q", 11: "<q", 12: "<d",
}  # fmt: skip
"""Type of a value -> how it is packed."""
_STRING: Final = 8
_ARRAY: Final = 9
_BLOCKS: Final = {
    0: (1, 4), 1: (1, 2), 2: (32, 18), 3: (32, 20), 6: (32, 22), 7: (32, 24), 8: (32, 34),
    10: (256, 84), 11: (256, 110), 12: (256, 144), 13: (256, 176), 14: (256, 210),
    20: (32, 18), 23: (256, 136), 30: (1, 2),
}  # fmt: skip
"""Type of a tensor -> its weights per block, and bytes per block. Rare types are left out."""
SAMPLE_BYTES: Final = 1 << 20
_VERSIONS: Final = (2, 3)
_CONTROL_TYPES: Final = (3, 4)
"""Types of tokens that are no text: control tokens, and those a trainer has added."""
_KV_BYTES: Final = 2
"""Bytes of a number in the KV cache (float16)."""


@dataclass(frozen=True, slots=True)
class GgufFile:
    """A GGUF file: what it holds, by its own words."""

    path: Path
    size_bytes: int
    fields: dict[str, Any]
    """Key -> number, text, or list."""
    fingerprint: str
    """Hash of its size and of both its ends: two files that share it are the same model."""

    @property
    def architecture(self) -> str:
        return str(self.fields.get("general.architecture", ""))

    @property
    def chat_template(self) -> str:
        return str(self.fields.get("tokenizer.chat_template", ""))

    @property
    def context_tokens(self) -> int:
        """Longest context the model was trained for; 0 = it does not say."""
        return int(self._own("context_length", 0))

    @property
    def kv_bytes_per_token(self) -> int:
        """Bytes that one token takes in the KV cache; at least 1."""
        layers, heads = int(self._own("block_count", 0)), self._own("attention.head_count", 1)
        kv_heads = self._own("attention.head_count_kv", heads)
        in_all: int = sum(kv_heads) if isinstance(kv_heads, list) else layers * int(kv_heads)
        widest = max(heads) if isinstance(heads, list) else int(heads)
        head = int(self._own("embedding_length", 0)) // max(widest, 1)
        key = int(self._own("attention.key_length", head))
        value = int(self._own("attention.value_length", head))
        return max(in_all * (key + value) * _KV_BYTES, 1)

    @property
    def sampling(self) -> Sampling:
        """Sampling that the file suggests; for the rest, what suits talk in general."""
        names = {"temp": "temperature", "top_p": "top_p", "top_k": "top_k"}
        found = {
            ours: self.fields[f"general.sampling.{theirs}"]
            for theirs, ours in names.items()
            if f"general.sampling.{theirs}" in self.fields
        }
        return Sampling(**found)

    @property
    def control_tokens(self) -> dict[int, tuple[str, bool]]:
        """Number -> text of every token that is no text, and whether it is a control token."""
        texts, kinds = self._tokens(), self.fields.get("tokenizer.ggml.token_type", [])
        return {
            number: (texts[number], kind == _CONTROL_TYPES[0])
            for number, kind in enumerate(kinds)
            if kind in _CONTROL_TYPES
        }

    def token_text(self, role: str) -> str:
        """Text of the token with a role, such as "bos"; "" = there is none."""
        number = self.fields.get(f"tokenizer.ggml.{role}_token_id")
        return "" if number is None else self._tokens()[number]

    def _own(self, key: str, default: Any) -> Any:
        return self.fields.get(f"{self.architecture}.{key}", default)

    def _tokens(self) -> list[str]:
        tokens: list[str] = self.fields.get("tokenizer.ggml.tokens", [])
        return tokens


def read_gguf(path: Path) -> GgufFile:
    """Read the header of a model's GGUF file.

    Raises:
        EngineStartError: it is none, it is cut, or its model cannot talk.
    """
    file = _header(path)
    if not file.chat_template:
        raise EngineStartError(
            f"model: {path} has no chat template, so it is no model that talks; use an instruct "
            "(chat) model"
        )
    return file


def read_gguf_adapter(path: Path, model: GgufFile) -> GgufFile:
    """Read the header of a LoRA adapter's GGUF file.

    Raises:
        EngineStartError: it is none, it is cut, or it is for models of another architecture.
    """
    file = _header(path)
    if (file.fields.get("general.type"), file.fields.get("adapter.type")) != ("adapter", "lora"):
        raise EngineStartError(f"adapters: {path} holds no LoRA adapter")
    if file.architecture != model.architecture:
        raise EngineStartError(
            f"adapters: {path} is for models of the architecture {file.architecture!r}, "
            f"{model.path.name} is of {model.architecture!r}"
        )
    return file


def _header(path: Path) -> GgufFile:
    try:
        with path.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _read(path, data)
    except OSError as error:
        raise EngineStartError(f"model: {path} cannot be read: {error.strerror}") from error
    except (struct.error, ValueError, KeyError, IndexError, OverflowError) as error:
        raise EngineStartError(
            f"model: {path} is cut or damaged: its header ends early; fetch it again"
        ) from error


def _read(path: Path, data: mmap.mmap) -> GgufFile:
    if data[:4] != b"GGUF":
        raise EngineStartError(f"model: {path} is no GGUF file; give one that ends in .gguf")
    version, tensors, count = struct.unpack_from("<IQQ", data, 4)
    if version not in _VERSIONS:
        raise EngineStartError(
            f"model: {path} is GGUF version {version}; this reads {_VERSIONS[0]} and "
            f"{_VERSIONS[1]}: convert it anew"
        )
    reader = _Reader(data, 24)
    fields = {}
    for _ in range(count):
        key = reader.text()
        fields[key] = reader.value(reader.number("<I"))
    end = _tensors_end(reader, tensors, int(fields.get("general.alignment", 32)))
    if end > len(data):
        raise EngineStartError(
            f"model: {path} is cut: it holds {len(data)} bytes, its header promises at least "
            f"{end}; fetch it again"
        )
    ends = data[:SAMPLE_BYTES] + data[-SAMPLE_BYTES:]
    fingerprint = hashlib.sha256(f"{len(data)}".encode() + ends).hexdigest()[:16]
    return GgufFile(path, len(data), fields, fingerprint)


def _tensors_end(reader: _Reader, count: int, alignment: int) -> int:
    """The offset at which the last tensor ends, or begins if its type is a rare one."""
    ends = [0]
    for _ in range(count):
        reader.text()
        sizes = [reader.number("<Q") for _ in range(reader.number("<I"))]
        weights, block_bytes = _BLOCKS.get(reader.number("<I"), (1, 0))
        ends.append(reader.number("<Q") + prod(sizes) // weights * block_bytes)
    return -(-reader.at // alignment) * alignment + max(ends)


class _Reader:
    """Reads one value after the other."""

    def __init__(self, data: mmap.mmap, at: int) -> None:
        self._data = data
        self.at = at

    def number(self, packed: str) -> Any:
        (value,) = struct.unpack_from(packed, self._data, self.at)
        self.at += struct.calcsize(packed)
        return value

    def text(self) -> str:
        size = self.number("<Q")
        if self.at + size > len(self._data):
            raise ValueError("a text goes on behind the end")
        self.at += size
        return self._data[self.at - size : self.at].decode(errors="replace")

    def value(self, kind: int) -> Any:
        if kind == _STRING:
            return self.text()
        if kind != _ARRAY:
            return self.number(_SCALARS[kind])
        kind, count = self.number("<I"), self.number("<Q")
        if kind == _STRING:
            return [self.text() for _ in range(count)]
        if kind == _ARRAY:
            return [self.value(kind) for _ in range(count)]
        packed = f"<{count}{_SCALARS[kind][1]}"
        values = list(struct.unpack_from(packed, self._data, self.at))
        self.at += struct.calcsize(packed)
        return values
