"""The C# in the documents: each fragment compiles as C# 9 against the package."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

import pytest
from unity.roslyn.compiler import Job, Roslyn, missing_roslyn
from unity.toolchain import HERE, NUNIT, PACKAGE, ROOT, sources

pytestmark = [pytest.mark.mono, pytest.mark.timeout(300)]

DOCUMENTS = (
    *ROOT.glob("docs/**/*.md"),
    *PACKAGE.glob("*.md"),
    *PACKAGE.glob("Documentation~/*.md"),
)
_FENCED = re.compile(r"^```csharp\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_MEMBER = re.compile(r"^(?:\[CallsheetAction|internal |private |public )", re.MULTILINE)
USINGS = (
    *("System", "System.Collections", "System.Collections.Generic", "System.Linq"),
    *("System.Threading.Tasks", "Callsheet", "Callsheet.Core", "Callsheet.Wire", "UnityEngine"),
)
SILENCED = "#pragma warning disable CS0219, CS0649"
"""A fragment may leave a result unused, and the inspector sets fields."""
SNIPPETS = {
    f"{path.relative_to(ROOT)}:{number}": code
    for path in sorted(DOCUMENTS)
    for number, code in enumerate(_FENCED.findall(path.read_text(encoding="utf-8")))
}


def program(name: str, code: str) -> str:
    """Make a fragment a component of the documents' game: its members, or the body of a method."""
    if not _MEMBER.search(code):
        waits = "IEnumerator" if "yield return" in code else "async Task"
        kind = waits if re.search(r"\b(?:yield|await)\b", code) else "void"
        code = f"internal {kind} Run()\n{{\n{textwrap.indent(code, '    ')}}}\n"
    usings = "\n".join(f"using {namespace};" for namespace in USINGS)
    body = textwrap.indent(code, "    ")
    return f"{SILENCED}\n{usings}\n\ninternal sealed class {name} : Game\n{{\n{body}}}\n"


@pytest.fixture(scope="module")
def said(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Compile every fragment: what the compiler says of those that fail."""
    if reason := missing_roslyn():
        pytest.skip(reason)
    folder = tmp_path_factory.mktemp("snippets")
    layers = ("Callsheet.Core", "UnityEngine", "Callsheet")
    jobs = [
        Job(layers[0], sources(PACKAGE / "Runtime" / "Core")),
        Job(layers[1], sources(HERE / "stubs" / "UnityEngine")),
        Job(layers[2], sources(PACKAGE / "Runtime" / "Unity"), layers[:2]),
    ]
    names: dict[str, str] = {}
    for number, (at, code) in enumerate(SNIPPETS.items()):
        names[at] = f"Snippet{number}"
        path = folder / f"{names[at]}.cs"
        path.write_text(program(names[at], code), encoding="utf-8")
        jobs.append(Job(names[at], [HERE / "snippets" / "Game.cs", path], layers))
    built, output = Roslyn(folder).compile(jobs, NUNIT)
    assert set(layers) <= built.keys(), output
    return {
        at: "\n".join(line for line in output.splitlines() if f"/{name}.cs" in line) or output
        for at, name in names.items()
        if name not in built
    }


def test_there_are_fragments_in_every_document_for_unity() -> None:
    documents = {Path(at.partition(":")[0]).name for at in SNIPPETS}
    assert {"unity.md", "innkeeper-unity.md", "index.md", "README.md"} <= documents
    assert len(SNIPPETS) > 20


@pytest.mark.parametrize("at", SNIPPETS)
def test_a_fragment_compiles(at: str, said: dict[str, str]) -> None:
    assert at not in said, said[at]
