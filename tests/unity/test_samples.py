"""The samples as Unity imports them: all that scenes, prefabs and UXML refer to is there."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from unity.samples import INPUT_ASSEMBLIES, INPUT_SYSTEM, SAMPLES
from unity.toolchain import PACKAGE

FOLDER = PACKAGE / "Samples~"
BUILT_IN = re.compile(r"0{16}[ef]0{15}")
"""GUIDs of what every Unity has: meshes, materials, UI Toolkit's own components."""
ENGINE_CLASSES = {"m_Name", "m_LocalPosition.x", "m_LocalPosition.y", "m_LocalPosition.z"}
_OBJECT = re.compile(r"^--- !u!(\d+) &(\d+)$\n(.*?)(?=^---|\Z)", re.MULTILINE | re.DOTALL)
_GUID = re.compile(r"\bguid: ([0-9a-f]{32})")
_FIELD = re.compile(
    r"\[SerializeField\]\s+(?:private|internal|protected) [\w\[\]<>]+ (\w+)|"
    r"^        public [\w\[\]<>]+ (\w+)(?: =.*)?;$",
    re.MULTILINE,
)
_QUERY = re.compile(r'Q<(\w+)>\("([\w-]+)"\)')
_UNITYS_FIELDS = re.compile(r"m_\w+$")


@dataclass(frozen=True)
class Entry:
    """One object of a scene, prefab or asset."""

    kind: int
    name: str
    """Name of its class, such as MonoBehaviour."""
    fields: dict[str, Any]


def objects(path: Path) -> dict[int, Entry]:
    """Read a YAML file of Unity's: its objects by their numbers."""
    text = path.read_text("utf-8")
    found = {}
    for kind, number, body in _OBJECT.findall(text):
        ((name, fields),) = yaml.safe_load(body).items()
        found[int(number)] = Entry(int(kind), name, fields)
    assert len(found) == text.count("\n--- "), f"{path}: a number stands twice"
    return found


def guids(folder: Path) -> dict[str, Path]:
    """GUID -> file, of all that is imported from the folder."""
    return {
        _GUID.findall(meta.read_text("utf-8"))[0]: meta.with_suffix("")
        for meta in folder.rglob("*.meta")
    }


def assets(sample: str) -> list[Path]:
    return [p for p in (FOLDER / sample).iterdir() if p.suffix in {".unity", ".prefab", ".asset"}]


def known(sample: str) -> dict[str, Path]:
    """List what a sample may refer to: a project can import it alone."""
    return guids(FOLDER / sample) | guids(PACKAGE / "Runtime")


def serialized(script: Path) -> set[str]:
    """Names of the fields that a component's file, and those of its base classes, serialize."""
    text = script.read_text("utf-8")
    names = {one or other for one, other in _FIELD.findall(text)}
    (base,) = re.findall(rf"class {script.stem} : (\w+)", text)
    return names if base == "MonoBehaviour" else names | serialized(script.with_name(f"{base}.cs"))


def test_the_manifest_lists_every_sample() -> None:
    manifest = json.loads((PACKAGE / "package.json").read_text("utf-8"))
    listed = [sample["path"] for sample in manifest["samples"]]
    assert listed == [f"Samples~/{name}" for name in SAMPLES]
    assert {p.name for p in FOLDER.iterdir()} == set(SAMPLES)
    assert all(sample["displayName"] and sample["description"] for sample in manifest["samples"])


@pytest.mark.parametrize("sample", SAMPLES)
def test_everything_referred_to_is_in_the_sample_or_the_package(sample: str) -> None:
    there = known(sample)
    assert list((FOLDER / sample).glob("*.unity"))
    for path in assets(sample):
        named = set(_GUID.findall(path.read_text("utf-8")))
        assert [g for g in named if g not in there and not BUILT_IN.fullmatch(g)] == [], path


@pytest.mark.parametrize("sample", SAMPLES)
def test_every_script_is_a_component_and_has_the_fields_that_are_set(sample: str) -> None:
    there = known(sample)
    seen = set()
    for path in assets(sample):
        for entry in objects(path).values():
            script = entry.fields.get("m_Script", {})
            if entry.name != "MonoBehaviour" or BUILT_IN.fullmatch(script["guid"]):
                continue
            assert script["fileID"] == 11500000
            file = there[script["guid"]]
            seen.add(file.stem)
            assert f"class {file.stem} : " in file.read_text("utf-8")
            own = {name for name in entry.fields if not _UNITYS_FIELDS.match(name)}
            assert own <= serialized(file), f"{path.name}: {file.stem}"
    if sample == "Village":
        assert {"CallsheetNpc", "CallsheetPlayer", "Chat", "SaveMenu", "Gossip"} <= seen


@pytest.mark.parametrize("sample", SAMPLES)
def test_components_belong_to_the_object_that_lists_them(sample: str) -> None:
    for path in assets(sample):
        found = objects(path)
        listed = {
            part["component"]["fileID"]: number
            for number, entry in found.items()
            if entry.name == "GameObject"
            for part in entry.fields["m_Component"]
        }
        owned = {
            number: entry.fields["m_GameObject"]["fileID"]
            for number, entry in found.items()
            if entry.fields.get("m_GameObject", {}).get("fileID", 0) != 0
        }
        assert listed == owned, path


@pytest.mark.parametrize("sample", SAMPLES)
def test_instances_of_prefabs_change_what_the_prefab_has(sample: str) -> None:
    there = known(sample)
    names: list[str] = []
    for path in assets(sample):
        for entry in objects(path).values():
            if entry.name != "PrefabInstance":
                continue
            guid = entry.fields["m_SourcePrefab"]["guid"]
            prefab = objects(there[guid])
            for change in entry.fields["m_Modification"]["m_Modifications"]:
                assert change["target"]["guid"] == guid
                target = prefab[change["target"]["fileID"]]
                field = change["propertyPath"]
                if field in {"npcId", "playerId"}:
                    names.append(change["value"])
                if target.name == "MonoBehaviour":
                    assert field in serialized(there[target.fields["m_Script"]["guid"]])
                else:
                    assert field in ENGINE_CLASSES | {"m_RootOrder"}
    assert len(names) == len(set(names))
    assert len(names) == (4 if sample == "Village" else 0)


@pytest.mark.parametrize("sample", SAMPLES)
def test_code_asks_for_elements_that_the_uxml_has(sample: str) -> None:
    (uxml,) = (FOLDER / sample).glob("*.uxml")
    elements = list(ET.parse(uxml).getroot().iter())
    names = {e.get("name"): e.tag.removeprefix("{UnityEngine.UIElements}") for e in elements}
    asked = {
        (kind, name)
        for script in (FOLDER / sample).glob("*.cs")
        for kind, name in _QUERY.findall(script.read_text("utf-8"))
    }
    assert asked
    assert [(kind, name) for kind, name in asked if names.get(name) != kind] == []
    sheets = [e.get("src") for e in elements if e.tag.endswith("}Style")]
    assert [sheet for sheet in sheets if not (FOLDER / sample / str(sheet)).is_file()] == []


@pytest.mark.parametrize("sample", SAMPLES)
def test_no_sample_draws_with_on_gui_which_the_input_system_does_not_serve(sample: str) -> None:
    for script in (FOLDER / sample).glob("*.cs"):
        assert "OnGUI" not in script.read_text("utf-8")


def test_the_input_system_is_optional_and_found_by_version_defines() -> None:
    path = FOLDER / "Village" / "Callsheet.Samples.Village.asmdef"
    definition = json.loads(path.read_text("utf-8"))
    assert set(INPUT_ASSEMBLIES) <= set(definition["references"])
    defined = {entry["define"] for entry in definition["versionDefines"]}
    assert defined == set(INPUT_SYSTEM) - {"ENABLE_INPUT_SYSTEM"}
    code = "\n".join(p.read_text("utf-8") for p in path.parent.glob("*.cs"))
    assert all(symbol in code for symbol in defined)
