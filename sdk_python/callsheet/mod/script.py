"""A mod's file, read and checked: from Python source to what is registered with the server."""

from __future__ import annotations

import ast
import difflib
import inspect
import sys
import types
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from callsheet.mod.actions import action_spec
from callsheet.mod.mistakes import ModError, line_of, mistake, syntax_error
from callsheet.mod.npc import Gate, Npc
from callsheet.mod.reading import quoting, run_module
from callsheet.wire.errors import CallsheetError
from callsheet.wire.script import RegisterScript
from callsheet.wire.world import ScheduledCall

__all__ = ["Script", "load_scripts"]

HANDLERS: Final[Mapping[str, tuple[str, ...]]] = {
    "on_spawn": (),
    "on_despawn": (),
    "on_hear": ("heard",),
    "on_near": ("player",),
    "on_leave": ("player",),
    "on_tick": ("tick",),
    "on_act": ("chosen",),
    "on_action_done": ("done",),
    "on_load": ("loaded",),
}
"""Every handler and what it is given."""


@dataclass(frozen=True, slots=True)
class Script:
    """One ``Npc`` class of a mod."""

    npc_class: type[Npc]
    registration: RegisterScript
    """Its ``id`` is set when it is sent."""
    scheduled: tuple[tuple[str, ScheduledCall], ...]
    """Methods and the game time they run at."""
    gates: Mapping[str, Gate | None]
    """Every action's condition for being offered; None = always."""
    path: Path
    definition: ast.ClassDef

    @property
    def name(self) -> str:
        """The script's name on the wire: FILE.CLASS."""
        return self.registration.script

    def refused(self, error: CallsheetError) -> ModError:
        """The mistake that the server's refusal tells of, with its line."""
        field = error.field or ""
        if field.startswith("actions."):
            field = self.registration.actions[int(field.split(".")[1])].name
        problem = f"the server refuses {self.npc_class.__name__}: {error.message}"
        return mistake(self.path, _line_of(self.definition, field), problem, f"see {error.code}")


def load_scripts(path: Path) -> list[Script]:
    """Run a mod's file and read the ``Npc`` classes in it.

    Raises:
        ModError: naming file and line, what is wrong, and the fix.
    """
    try:
        source = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise ModError(f"{path}: cannot be read: {error}") from None
    with quoting(path, source):
        return _read(path, source)


def _read(path: Path, source: str) -> list[Script]:
    try:
        tree = ast.parse(source, str(path))
        code = compile(tree, str(path), "exec")
    except SyntaxError as error:
        raise syntax_error(path, error) from None
    module = types.ModuleType(f"callsheet_mod_{path.stem}")
    module.__file__ = str(path)
    sys.modules[module.__name__] = module
    run_module(code, module, path)
    classes = {node.name: node for node in tree.body if isinstance(node, ast.ClassDef)}
    scripts = [
        _script(one, classes[name], path)
        for name, one in vars(module).items()
        if isinstance(one, type) and issubclass(one, Npc) and name in classes
    ]
    if not scripts:
        fix = "write a class: class Guard(Npc): archetypes = ['guard']"
        raise mistake(path, 1, "there is no class derived from callsheet.mod.Npc", fix)
    return scripts


def _script(npc_class: type[Npc], definition: ast.ClassDef, path: Path) -> Script:
    name = npc_class.__name__
    _check_no_duplicates(definition, path)
    methods = dict(_methods(npc_class))
    _check_handlers(name, methods, path)
    actions = [
        action_spec(method, path)
        for method in methods.values()
        if hasattr(method, "__callsheet_action__")
    ]
    scheduled = tuple(
        (method_name, call)
        for method_name, method in methods.items()
        for call in getattr(method, "__callsheet_schedule__", ())
    )
    for method_name, _ in scheduled:
        _check_arguments(methods[method_name], (), path)
    ticks = ("tick",) if "on_tick" in methods or scheduled else ()
    gates = {a.name: methods[a.name].__callsheet_when__ for a in actions}  # type: ignore[attr-defined]
    hears = ("hear",) if "on_hear" in methods or any(gates.values()) else ()
    nears = ("near",) if {"on_near", "on_leave"} & methods.keys() else ()
    if not (npc_class.npcs or npc_class.archetypes):
        problem, fix = f"{name} speaks for nobody", 'add archetypes = ["guard"] or npcs = ["bram"]'
        raise mistake(path, definition.lineno, problem, fix)
    for field in ("npcs", "archetypes", "game_actions"):
        if isinstance(getattr(npc_class, field), str):
            value = getattr(npc_class, field)
            problem, fix = f"{name}.{field} must be a list", f"{field} = [{value!r}]"
            raise mistake(path, definition.lineno, problem, fix)
    kept = npc_class.game_actions
    try:
        registration = RegisterScript(
            id=1,
            script=f"{path.stem}.{name}",
            npcs=tuple(npc_class.npcs),
            archetypes=tuple(npc_class.archetypes),
            persona=npc_class.persona,
            interaction_radius_m=npc_class.interaction_radius_m,
            sociability=npc_class.sociability,
            schedule=tuple(call for _, call in scheduled) or None,
            actions=tuple(actions),
            events=(*hears, *nears, *ticks),
            tick_interval_s=npc_class.tick_interval_s,
            judges_actions="on_act" in methods or None,
            game_actions=None if kept is None else tuple(kept),
        )
    except CallsheetError as error:
        field, advice = error.field or "", error.message.partition(": ")[2]
        problem = f"{name}.{field} cannot be {error.value}: {advice}"
        if field == "script":
            field, problem = path.name, f"{path.stem!r} cannot name a script: {advice}"
        raise mistake(path, _line_of(definition, field), problem, f"change {field}") from None
    return Script(npc_class, registration, scheduled, gates, path, definition)


def _methods(npc_class: type[Npc]) -> Iterator[tuple[str, Callable[..., Any]]]:
    """The methods a modder wrote, inherited ones too."""
    for name in dir(npc_class):
        method = getattr(npc_class, name)
        if inspect.isfunction(method) and not hasattr(Npc, name):
            yield name, method


def _check_handlers(name: str, methods: dict[str, Callable[..., Any]], path: Path) -> None:
    for method_name, method in methods.items():
        if method_name in HANDLERS:
            _check_arguments(method, HANDLERS[method_name], path)
        elif method_name.startswith("on_"):
            near = difflib.get_close_matches(method_name, HANDLERS, n=1, cutoff=0.5)
            fix = f"rename it to {near[0]}" if near else "handlers are " + ", ".join(HANDLERS)
            line = line_of(method)
            raise mistake(path, line, f"{name}.{method_name} is not a handler", fix)


def _check_arguments(method: Callable[..., Any], arguments: tuple[str, ...], path: Path) -> None:
    try:
        inspect.signature(method).bind("self", *arguments)
    except TypeError:
        name, line = method.__name__, line_of(method)
        taken = ", ".join(inspect.signature(method).parameters)
        fix = f"write def {name}({', '.join(('self', *arguments))})"
        raise mistake(path, line, f"{name}({taken}) cannot be called", fix) from None


def _check_no_duplicates(definition: ast.ClassDef, path: Path) -> None:
    lines: dict[str, int] = {}
    for node in definition.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            if node.name in lines:
                problem = f"{definition.name}.{node.name} is there twice"
                fix = f"rename one; the first is in line {lines[node.name]}"
                raise mistake(path, node.lineno, problem, fix)
            lines[node.name] = node.lineno


def _line_of(definition: ast.ClassDef, field: str) -> int:
    """The line of a class attribute or a method, or of the class."""
    for node in definition.body:
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name == field:
            return node.lineno
        targets = node.targets if isinstance(node, ast.Assign) else []
        if isinstance(node, ast.AnnAssign):
            targets = [node.target]
        if any(isinstance(t, ast.Name) and t.id == field.split(".")[0] for t in targets):
            return node.lineno
    return definition.lineno
