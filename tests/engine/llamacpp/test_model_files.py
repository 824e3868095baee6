"""GGUF files: what they say of themselves, and those that are refused in one line."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest
from engine.conftest import StartEngine
from engine.tiny_gguf import write_tiny_gguf

from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.llamacpp import launch
from callsheet_server.engine.models.gguf_cache import is_gguf, resolve_gguf
from callsheet_server.engine.models.gguf_file import read_gguf


def no_progress(_: object) -> None: ...


def test_a_file_describes_itself(tiny_gguf: Path) -> None:
    file = read_gguf(tiny_gguf)
    assert (file.architecture, file.context_tokens) == ("llama", 1024)
    assert file.kv_bytes_per_token == 2 * 2 * (16 + 16) * 2
    assert (file.token_text("bos"), file.token_text("eos")) == ("<|endoftext|>", "<|im_end|>")
    assert set(file.control_tokens.values()) == {
        ("<|endoftext|>", True),
        ("<|im_start|>", True),
        ("<|im_end|>", True),
    }
    assert file.fingerprint == read_gguf(tiny_gguf).fingerprint


@pytest.mark.parametrize("kept", [0.999, 0.5, 0.05, 0.001])
def test_a_cut_file_is_refused_at_any_length(tiny_gguf: Path, tmp_path: Path, kept: float) -> None:
    content = tiny_gguf.read_bytes()
    cut = tmp_path / "cut.gguf"
    cut.write_bytes(content[: int(len(content) * kept)])
    with pytest.raises(EngineStartError, match=r"cut\.gguf is cut.*fetch it again") as caught:
        read_gguf(cut)
    assert "\n" not in str(caught.value)


async def test_files_that_cannot_talk_are_refused(
    start_llamacpp: StartEngine, tmp_path: Path
) -> None:
    for name, path, told in (
        ("no template", write_tiny_gguf(tmp_path / "a.gguf", template=None), "no chat template"),
        ("unknown", write_tiny_gguf(tmp_path / "b.gguf", architecture="zlama"), "'zlama'"),
        ("bad template", write_tiny_gguf(tmp_path / "c.gguf", template="{{ x"), "template"),
    ):
        with pytest.raises(EngineStartError, match=told) as caught:
            await start_llamacpp(model=str(path))
        assert "\n" not in str(caught.value), name
    other = tmp_path / "d.gguf"
    for content in (b"GG", b"PK\x03\x04 and more of a zip file"):
        other.write_bytes(content)
        with pytest.raises(EngineStartError, match="no GGUF file"):
            read_gguf(other)


async def test_a_model_larger_than_the_memory_is_refused(
    start_llamacpp: StartEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(launch, "total_memory_bytes", lambda: 100_000)
    with pytest.raises(EngineStartError, match="take a smaller model"):
        await start_llamacpp()


async def test_a_missing_library_is_named_with_its_fix(
    start_llamacpp: StartEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = "libgomp.so.1: cannot open shared object file: No such file or directory"
    await asyncio.to_thread(
        (tmp_path / "xllamacpp.py").write_text, f"raise ImportError({told!r})\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with pytest.raises(EngineStartError, match="apt-get install libgomp1"):
        await start_llamacpp()


def test_a_model_is_a_file_or_a_name(tiny_gguf: Path, tmp_path: Path) -> None:
    assert resolve_gguf(str(tiny_gguf), no_progress) == tiny_gguf
    assert is_gguf("SmolLM2-135M-Instruct")
    assert not is_gguf("Qwen/Qwen2.5-0.5B-Instruct")
    for model in (str(tmp_path), str(tmp_path / "none.gguf"), "nonsense", "owner/name"):
        with pytest.raises(EngineStartError, match="OWNER/NAME/FILE"):
            resolve_gguf(model, no_progress)
