"""Writes the missing .meta files of the package, and removes those of what is gone.

    python sdk_unity/Tools~/write_metas.py

A new file's GUID follows from its path, so two people who add the same file get the same one. A
file that moves takes its .meta along (git mv both): scenes and prefabs refer to the GUID.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

PACKAGE = Path(__file__).resolve().parents[1]
NAME = "com.callsheet.sdk"

DEFAULT = """\
DefaultImporter:
  externalObjects: {}
  userData:
  assetBundleName:
  assetBundleVariant:
"""
SCRIPTED = """\
ScriptedImporter:
  internalIDToNameTable: []
  externalObjects: {}
  serializedVersion: 2
  userData:
  assetBundleName:
  assetBundleVariant:
  script: {fileID: %d, guid: 0000000000000000e000000000000000, type: 0}
"""
"""An importer of UI Toolkit, by the number that Unity has for it."""
IMPORTERS = {
    ".cs": """\
MonoImporter:
  externalObjects: {}
  serializedVersion: 2
  defaultReferences: []
  executionOrder: 0
  icon: {instanceID: 0}
  userData:
  assetBundleName:
  assetBundleVariant:
""",
    ".asmdef": DEFAULT.replace("DefaultImporter", "AssemblyDefinitionImporter"),
    ".md": DEFAULT.replace("DefaultImporter", "TextScriptImporter"),
    ".json": DEFAULT.replace("DefaultImporter", "TextScriptImporter"),
    "package.json": DEFAULT.replace("DefaultImporter", "PackageManifestImporter"),
    ".jslib": """\
PluginImporter:
  externalObjects: {}
  serializedVersion: 2
  iconMap: {}
  executionOrder: {}
  defineConstraints: []
  isPreloaded: 0
  isOverridable: 0
  isExplicitlyReferenced: 0
  validateReferences: 1
  platformData:
  - first:
      Any:
    second:
      enabled: 0
      settings: {}
  - first:
      Editor: Editor
    second:
      enabled: 0
      settings:
        DefaultValueInitialized: true
  - first:
      WebGL: WebGL
    second:
      enabled: 1
      settings: {}
  userData:
  assetBundleName:
  assetBundleVariant:
""",
    ".unity": DEFAULT,
    ".prefab": DEFAULT.replace("DefaultImporter", "PrefabImporter"),
    ".asset": """\
NativeFormatImporter:
  externalObjects: {}
  mainObjectFileID: 11400000
  userData:
  assetBundleName:
  assetBundleVariant:
""",
    ".uxml": SCRIPTED % 13804,
    ".uss": SCRIPTED % 12385 + "  disableValidation: 0\n",
    ".tss": SCRIPTED % 12388 + "  disableValidation: 0\n",
}


def is_imported(path: Path) -> bool:
    """True for what Unity imports: no hidden files, no folders that end with a tilde.

    What is in a sample is imported once the sample is copied into a project.
    """
    parts = path.relative_to(PACKAGE).parts
    if parts[0] == "Samples~":
        # The folder itself and those of the samples are copied without their metas.
        return len(parts) > 2
    return not any(part.startswith(".") or part.endswith("~") for part in parts)


def imported() -> Iterator[Path]:
    """Every file and folder that needs a .meta."""
    for path in sorted(PACKAGE.rglob("*")):
        if path.suffix != ".meta" and is_imported(path):
            yield path


def meta_of(path: Path) -> Path:
    return path.with_name(path.name + ".meta")


def text_for(path: Path) -> str:
    relative = path.relative_to(PACKAGE).as_posix()
    guid = hashlib.md5(f"{NAME}/{relative}".encode(), usedforsecurity=False).hexdigest()
    head = f"fileFormatVersion: 2\nguid: {guid}\n"
    if path.is_dir():
        return f"{head}folderAsset: yes\n{DEFAULT}"
    return head + (IMPORTERS.get(path.name) or IMPORTERS[path.suffix])


def main() -> None:
    wanted = {meta_of(path): path for path in imported()}
    for meta, path in wanted.items():
        if not meta.exists():
            meta.write_text(text_for(path), encoding="utf-8")
    for meta in PACKAGE.rglob("*.meta"):
        if meta not in wanted:
            meta.unlink()


if __name__ == "__main__":
    main()
