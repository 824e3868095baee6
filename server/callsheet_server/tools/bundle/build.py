"""Bundle of the server for the system it is built on, made by PyInstaller."""

from __future__ import annotations

import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Final

from packaging.utils import canonicalize_name

from callsheet_server.engine.models.gguf_file import read_gguf
from callsheet_server.tools.bundle.licences import shipped, write_licences

__all__ = ["MODELS", "PROGRAM", "Bundle", "BundleError", "build"]

PROGRAM: Final = "callsheet"
MODELS: Final = "models"
"""Folder of a bundle in which its model lies."""
LEFT_OUT: Final = ("click", "fsspec", "hf-xet", "httpx", "httpx2", "tqdm")
"""Packages that the server needs and a bundle does not: it fetches one file, over plain HTTP."""
MODULES_LEFT_OUT: Final = (
    "callsheet_bench", "callsheet_loadtest", "callsheet_sglang", "callsheet_sglang_cpu",
    "huggingface_hub.cli", "huggingface_hub.hf_api", "huggingface_hub.inference", "numpy.f2py",
    "readline", "tkinter",
)  # fmt: skip
"""Modules that a player's server never imports."""


class BundleError(Exception):
    """A bundle cannot be made; the text says why and what to do."""


@dataclass(frozen=True, slots=True)
class Bundle:
    """A bundle on this disk."""

    folder: Path

    @property
    def program(self) -> Path:
        """The program that runs the server."""
        return self.folder / (f"{PROGRAM}.exe" if os.name == "nt" else PROGRAM)

    def size_bytes(self) -> int:
        """All files, without the model."""
        models = self.folder / MODELS
        files = (
            path for path in self.folder.rglob("*") if path.is_file() and not path.is_symlink()
        )
        return sum(path.stat().st_size for path in files if models not in path.parents)


def build(out: Path, model: Path | None) -> Bundle:
    """Make a bundle in the folder ``out``, in place of one that is there.

    Args:
        out: the folder; it may hold an older bundle, and nothing else.
        model: GGUF that comes with it; None = the first start pulls one.

    Raises:
        BundleError: PyInstaller is missing or fails, or ``out`` holds something else.
        EngineStartError: ``model`` is no GGUF.
    """
    if importlib.util.find_spec("PyInstaller") is None:
        raise BundleError("this needs PyInstaller; run: pip install 'callsheet[server,bundle]'")
    bundle = Bundle(out)
    if out.exists() and any(out.iterdir()) and not bundle.program.is_file():
        raise BundleError(f"{out} is not empty and holds no bundle; give a new folder")
    if model is not None:
        read_gguf(model)
    with tempfile.TemporaryDirectory(prefix="callsheet-bundle-") as scratch:
        built = _run_pyinstaller(Path(scratch))
        write_licences(built / "LICENCES.txt", LEFT_OUT)
        if model is not None:
            (built / MODELS).mkdir()
            shutil.copyfile(model, built / MODELS / model.name)
        if out.exists():
            shutil.rmtree(out)
        out.parent.mkdir(parents=True, exist_ok=True)
        shutil.move(built, out)
    return bundle


def _run_pyinstaller(scratch: Path) -> Path:
    entry = scratch / "entry.py"
    entry.write_text(
        "import sys\nfrom callsheet_cli.bundled import main\nsys.exit(main())\n", encoding="utf-8"
    )
    command = [sys.executable, "-m", "PyInstaller", "--noconfirm", "--onedir", "--console"]
    command += ["--name", PROGRAM, "--collect-data", "callsheet_server"]
    command += ["--distpath", str(scratch / "out"), "--workpath", str(scratch / "work")]
    command += ["--specpath", str(scratch)]
    command += [f"--copy-metadata={package.name}" for package in shipped(LEFT_OUT)]
    command += [f"--exclude-module={module}" for module in (*MODULES_LEFT_OUT, *_not_shipped())]
    for folder in sys.path:
        if folder:
            command += ["--paths", folder]
    done = subprocess.run(  # noqa: S603 - our interpreter, our arguments
        [*command, str(entry)], capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        tail = "\n".join(done.stderr.strip().splitlines()[-15:])
        raise BundleError(f"PyInstaller failed with status {done.returncode}:\n{tail}")
    built = scratch / "out" / PROGRAM
    _trim(built / "_internal")
    return built


def _trim(folder: Path) -> None:
    """Delete the facts of packages that are not in it, and symbols on Linux."""
    ours = {canonicalize_name(package.name) for package in shipped(LEFT_OUT)}
    for facts in folder.glob("*.dist-info"):
        if canonicalize_name(facts.name.partition("-")[0]) not in ours:
            shutil.rmtree(facts)
        else:
            shutil.rmtree(facts / "sboms", ignore_errors=True)
            (facts / "RECORD").unlink(missing_ok=True)
    strip = shutil.which("strip")
    if sys.platform != "linux" or strip is None:
        return
    for library in folder.rglob("*.so*"):
        package = library.relative_to(folder).parts[0].partition(".")[0]
        patched = (folder / f"{package}.libs").exists()  # Its wheel's; it would not load any more.
        if not patched and not library.is_symlink():
            subprocess.run([strip, "--strip-unneeded", str(library)], check=True)  # noqa: S603


def _not_shipped() -> list[str]:
    """Modules of packages that happen to be installed here: others import them if they can."""
    ours = {canonicalize_name(package.name) for package in shipped(LEFT_OUT)}
    return sorted(
        module
        for module, owners in metadata.packages_distributions().items()
        if module.isidentifier() and not ours & {canonicalize_name(owner) for owner in owners}
    )
