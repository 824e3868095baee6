"""The package's samples: their sources, and the symbols they are compiled with."""

from __future__ import annotations

from unity.toolchain import PACKAGE, sources

SAMPLES = ("Village", "ManyNpcs")
"""Folders of ``Samples~``."""
LEGACY = ("ENABLE_LEGACY_INPUT_MANAGER",)
INPUT_SYSTEM = ("ENABLE_INPUT_SYSTEM", "CALLSHEET_INPUT_SYSTEM", "CALLSHEET_UGUI")
INPUTS = {"legacy": LEGACY, "input_system": INPUT_SYSTEM, "both": (*LEGACY, *INPUT_SYSTEM)}
"""Project Settings > Player > Active Input Handling -> what is defined then."""
INPUT_ASSEMBLIES = ("UnityEngine.UI", "Unity.InputSystem")
"""Where the Input System is; a project without it has neither."""
VILLAGE = sources(PACKAGE / "Samples~" / "Village")
