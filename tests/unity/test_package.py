"""Demands of Unity's package manager on the package, checked without Unity."""

from __future__ import annotations

import json
import re
import runpy
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import yaml
from unity.samples import INPUT_ASSEMBLIES
from unity.toolchain import HERE, PACKAGE, ROOT, sources

from callsheet.wire import PROTOCOL

METAS = runpy.run_path(str(PACKAGE / "Tools~" / "write_metas.py"))
UNITYS_OWN = {"UnityEngine.TestRunner", "UnityEditor.TestRunner", *INPUT_ASSEMBLIES}
TEXT = {".cs", ".asmdef", ".json", ".md", ".meta", ".jslib", ".py"}
ASSETS = {".unity", ".prefab", ".asset", ".uxml", ".uss", ".tss"}
"""Of the samples; test_samples.py reads what they refer to."""


def manifest() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((PACKAGE / "package.json").read_text("utf-8"))
    return found


def asmdefs() -> dict[Path, dict[str, Any]]:
    return {path: json.loads(path.read_text("utf-8")) for path in PACKAGE.rglob("*.asmdef")}


def guid_of(meta: Path) -> str:
    match = re.search(r"^guid: ([0-9a-f]{32})$", meta.read_text("utf-8"), re.MULTILINE)
    assert match, f"{meta} has no guid"
    return match[1]


def test_everything_imported_has_a_meta_and_every_meta_something_to_describe() -> None:
    wanted = {METAS["meta_of"](path) for path in METAS["imported"]()}
    there = set(PACKAGE.rglob("*.meta"))
    assert there - wanted == set()
    assert wanted - there == set()


def test_no_guid_stands_twice() -> None:
    counts = Counter(map(guid_of, PACKAGE.rglob("*.meta")))
    assert [guid for guid, n in counts.items() if n > 1] == []


def test_metas_name_the_right_importer() -> None:
    wrong = [
        path
        for path in METAS["imported"]()
        if METAS["text_for"](path).splitlines()[2] not in METAS["meta_of"](path).read_text("utf-8")
    ]
    assert wrong == []


def test_the_manifest_is_complete() -> None:
    m = manifest()
    assert re.fullmatch(r"[a-z0-9-]+(\.[a-z0-9-]+)+", m["name"])
    assert re.fullmatch(r"\d+\.\d+\.\d+(-[0-9A-Za-z.-]+)?", m["version"])
    assert re.fullmatch(r"\d{4}\.\d", m["unity"])
    assert m["dependencies"] == {}, (
        "git URLs are refused there, and users have their own JSON library"
    )
    assert {"displayName", "description", "license", "author", "samples"} <= m.keys()
    assert all(m["keywords"])
    assert m["author"]["name"]


def test_versions_agree() -> None:
    version = manifest()["version"]
    options = (PACKAGE / "Runtime/Core/Client/SessionOptions.cs").read_text("utf-8")
    assert f'SdkVersion = "{version}"' in options
    assert f"## [{version}]" in (PACKAGE / "CHANGELOG.md").read_text("utf-8")
    messages = (PACKAGE / "Runtime/Core/Messages/ServerMessages.cs").read_text("utf-8")
    assert f'Protocol = "{PROTOCOL}"' in messages


def test_the_pages_name_the_tag_of_this_version() -> None:
    tag = f"v{manifest()['version']}"
    tags = {
        page: set(re.findall(r"#(v\d[\w.-]*)", page.read_text("utf-8")))
        for page in (*ROOT.glob("docs/**/*.md"), *PACKAGE.glob("**/*.md"), ROOT / "README.md")
        if "?path=/sdk_unity" in page.read_text("utf-8")
    }
    assert {ROOT / "docs" / "unity.md", PACKAGE / "README.md"} <= tags.keys()
    assert {page: named for page, named in tags.items() if named - {tag}} == {}
    assert tags[PACKAGE / "Documentation~" / "index.md"] == {tag}


def test_what_openupm_is_told_is_what_the_manifest_says() -> None:
    path = ROOT / ".github" / "openupm" / "com.callsheet.sdk.yml"
    told = yaml.safe_load(path.read_text("utf-8"))
    m = manifest()
    assert path.stem == told["name"] == m["name"]
    assert (told["displayName"], told["description"]) == (m["displayName"], m["description"])
    assert told["licenseSpdxId"] == m["license"]
    assert told["minVersion"] == "0.2.0", "the first version with a tag"
    branch, readme = told["readme"].split(":")
    assert branch == "main"
    assert (ROOT / readme).is_file()


def test_references_between_assemblies_resolve_and_make_no_circle() -> None:
    by_name = {d["name"]: set(d["references"]) for d in asmdefs().values()}
    assert len(by_name) == len(asmdefs())
    left = {name: refs - UNITYS_OWN for name, refs in by_name.items()}
    assert set().union(*left.values()) <= left.keys()
    while left:
        ready = {name for name, refs in left.items() if not refs & left.keys()}
        assert ready, f"a circle among {sorted(left)}"
        left = {name: refs for name, refs in left.items() if name not in ready}


def test_every_assembly_is_named_after_its_file() -> None:
    assert [str(p) for p, d in asmdefs().items() if d["name"] != p.stem] == []


def test_the_core_has_no_engine_references() -> None:
    core = next(d for d in asmdefs().values() if d["name"] == "Callsheet.Core")
    assert core["noEngineReferences"] is True
    assert core["references"] == []


def test_the_editor_and_the_tests_are_in_no_player() -> None:
    for definition in asmdefs().values():
        if definition["name"] in {"Callsheet.Editor", "Callsheet.Tests"}:
            assert definition["includePlatforms"] == ["Editor"]
    tests = next(d for d in asmdefs().values() if d["name"] == "Callsheet.Tests")
    assert tests["defineConstraints"] == ["UNITY_INCLUDE_TESTS"]


def test_every_script_belongs_to_exactly_one_assembly() -> None:
    folders = [path.parent for path in asmdefs()]
    for script in PACKAGE.rglob("*.cs"):
        owners = [folder for folder in folders if folder in script.parents]
        assert len(owners) == 1, f"{script} is imported {len(owners)} times"


def test_no_file_is_longer_than_400_lines_but_what_is_generated() -> None:
    generated = PACKAGE / "Runtime" / "Core" / "Messages"
    scripts = [*sources(PACKAGE), *sources(HERE)]
    lengths = {p: len(p.read_text("utf-8").splitlines()) for p in scripts}
    assert [p for p, n in lengths.items() if n > 400 and generated not in p.parents] == []


def test_no_two_files_differ_in_case_only() -> None:
    names = Counter(str(path).lower() for path in PACKAGE.rglob("*"))
    assert [name for name, n in names.items() if n > 1] == []


def test_there_are_no_binaries() -> None:
    strange = [p for p in PACKAGE.rglob("*") if p.is_file() and p.suffix not in TEXT | ASSETS]
    allowed = {PACKAGE / ".npmignore"}
    assert [p for p in strange if "__pycache__" not in p.parts and p not in allowed] == []


def test_components_have_a_file_of_their_name() -> None:
    """Unity refers to a component by its file's GUID."""
    for script in [*PACKAGE.rglob("Runtime/Unity/*.cs"), *PACKAGE.rglob("Samples~/**/*.cs")]:
        pattern = r"class (\w+) : (?:MonoBehaviour|CallsheetMover|ScriptableObject)"
        for name in re.findall(pattern, script.read_text("utf-8")):
            assert name == script.stem


def test_every_inspector_field_has_a_tooltip() -> None:
    without = []
    for script in (PACKAGE / "Runtime" / "Unity").glob("*.cs"):
        lines = script.read_text("utf-8").splitlines()
        for i, line in enumerate(lines):
            if line.strip() == "[SerializeField]":
                attributes = lines[max(0, i - 4) : i]
                if "NpcEvents" not in lines[i + 1] and not any(
                    "[Tooltip(" in a for a in attributes
                ):
                    without.append(f"{script.name}: {lines[i + 1].strip()}")
    assert without == []


def test_the_names_in_the_browser_library_are_ours_alone() -> None:
    library = (PACKAGE / "Runtime/Plugins/WebGL/CallsheetWebSocket.jslib").read_text("utf-8")
    names = re.findall(r"^    (\$?\w+): ", library, re.MULTILINE)
    assert len(names) > 10
    assert [n for n in names if not n.lstrip("$").startswith("CallsheetWebSocket")] == []
    code = re.sub(r"//.*", "", library)
    assert not re.search(r"dynCall|Runtime\.|Pointer_stringify|getWasmTableEntry", code)


@pytest.mark.parametrize(
    "function",
    ["Open", "State", "CloseCode", "CanSend", "Send", "NextSize", "Receive", "Close", "Release"],
)
def test_the_browser_library_has_what_csharp_imports(function: str) -> None:
    name = f"CallsheetWebSocket{function}"
    library = (PACKAGE / "Runtime/Plugins/WebGL/CallsheetWebSocket.jslib").read_text("utf-8")
    csharp = (PACKAGE / "Runtime/Unity/WebGLTransport.cs").read_text("utf-8")
    declared = re.search(rf"extern \w+ {name}\((.*)\);", csharp)
    defined = re.search(rf"    {name}: function \((.*)\)", library)
    assert declared
    assert defined
    assert declared[1].count(",") == defined[1].count(",")
