"""Dependencies: licences that let games ship them, and no known vulnerability."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from importlib import metadata

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

RUNTIME_EXTRAS = ("", "server", "torch")
ALLOWED = frozenset(
    {
        "0BSD",
        "Apache-2.0",
        "Apache-2.0 WITH LLVM-exception",
        "BSD",
        "BSD-2-Clause",
        "BSD-3-Clause",
        "BSL-1.0",
        "CC0-1.0",
        "CNRI-Python",
        "ISC",
        "MIT",
        "MPL-2.0",
        "PSF-2.0",
        "Zlib",
    }
)
"""SPDX names. MPL-2.0 binds changes to its own files only, and we change none."""
CLASSIFIERS = {
    "Apache Software License": "Apache-2.0",
    "BSD License": "BSD",
    "ISC License (ISCL)": "ISC",
    "MIT License": "MIT",
    "Mozilla Public License 2.0 (MPL 2.0)": "MPL-2.0",
    "Python Software Foundation License": "PSF-2.0",
}
FREE_TEXT = {"Apache 2.0 License": "Apache-2.0"}
NVIDIA = re.compile(r"^(nvidia|cuda)-|^triton$")
"""Packages of PyTorch's CUDA build, under NVIDIA's own terms."""
ACCEPTED_VULNERABILITIES: dict[str, str] = {}
"""Id -> why it does not matter here, until when."""


def distributions(name: str, extras: Iterable[str]) -> Iterator[metadata.Distribution]:
    """A package with all that is installed because of it."""
    seen: set[tuple[str, str]] = set()
    todo = [(name, extra) for extra in extras]
    while todo:
        package, extra = todo.pop()
        if (canonicalize_name(package), extra) in seen:
            continue
        new = not any(known == canonicalize_name(package) for known, _ in seen)
        seen.add((canonicalize_name(package), extra))
        try:
            found = metadata.distribution(package)
        except metadata.PackageNotFoundError:
            continue  # it is for another platform
        if new:
            yield found
        for line in found.requires or ():
            requirement = Requirement(line)
            if requirement.marker is None or requirement.marker.evaluate({"extra": extra}):
                todo += [(requirement.name, wanted) for wanted in ("", *requirement.extras)]


def licences(found: metadata.Distribution) -> frozenset[str]:
    """The SPDX names of all licences a package names; of an "or" too."""
    fields = found.metadata
    marks = [m for m in fields.get_all("Classifier", []) if m.startswith("License ::")]
    if "License-Expression" in fields:
        return _names(fields["License-Expression"])
    if marks:
        names = [mark.rpartition(" :: ")[2] for mark in marks]
        return frozenset(CLASSIFIERS.get(name, name) for name in names)
    text = fields["License"].strip().splitlines()[0] if "License" in fields else "none named"
    return frozenset({FREE_TEXT[text]}) if text in FREE_TEXT else _names(text)


def _names(expression: str) -> frozenset[str]:
    return frozenset(re.split(r" AND | OR ", re.sub(r"[()]", "", expression)))


def test_every_runtime_dependency_has_a_licence_that_is_allowed() -> None:
    found = {d.metadata["Name"]: licences(d) for d in distributions("callsheet", RUNTIME_EXTRAS)}
    assert {"numpy", "websockets", "torch", "transformers"} <= {name.lower() for name in found}
    wrong = {
        name: sorted(names - ALLOWED)
        for name, names in found.items()
        if not names <= ALLOWED and not NVIDIA.match(name)
    }
    assert wrong == {}


def test_no_dependency_has_a_known_vulnerability() -> None:
    """Asks PyPI's advisory database; says so by name where that cannot be asked."""
    names = {
        canonicalize_name(d.metadata["Name"]) for d in distributions("callsheet", ("", "server"))
    }
    command = [sys.executable, "-m", "pip_audit", "--local", "--format", "json"]
    try:
        ran = subprocess.run(
            [*command, "--progress-spinner", "off", "--timeout", "15"],
            capture_output=True,
            text=True,
            timeout=150,
        )
        answers = json.loads(ran.stdout)["dependencies"]
    except (subprocess.TimeoutExpired, ValueError, KeyError):
        pytest.skip("pip-audit: the advisory database cannot be reached; NOTHING WAS AUDITED")
    answers = [a for a in answers if canonicalize_name(a["name"]) in names - {"callsheet"}]
    audited = [a for a in answers if "vulns" in a]
    missed = sorted(a["name"] for a in answers if "skip_reason" in a)
    # A mirror without advisories answers "not found" for every package: that is no clean bill.
    if not audited:
        pytest.skip("pip-audit: the package index here has no advisories; NOTHING WAS AUDITED")
    vulnerable = {
        f"{a['name']} {a['version']}": [v["id"] for v in a["vulns"]]
        for a in audited
        if {v["id"] for v in a["vulns"]} - ACCEPTED_VULNERABILITIES.keys()
    }
    assert vulnerable == {}
    assert set(missed) <= {"torch"}, f"not audited: {missed}"  # a local build has no advisories
