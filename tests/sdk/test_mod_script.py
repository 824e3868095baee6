"""Reading a mod: what it registers, and how its mistakes are told."""

from __future__ import annotations

import textwrap
from pathlib import Path

import pytest

from callsheet.mod import reading
from callsheet.mod.mistakes import ModError, clean_traceback
from callsheet.mod.script import Script, load_scripts
from callsheet.mod.starter import STARTER
from callsheet.wire.world import ScheduledCall

HEAD = "from callsheet.mod import *\n"


def load(folder: Path, source: str) -> list[Script]:
    path = folder / "guard.py"
    path.write_text(HEAD + textwrap.dedent(source), encoding="utf-8")
    return load_scripts(path)


def mistake(folder: Path, source: str) -> str:
    with pytest.raises(ModError) as caught:
        load(folder, source)
    return str(caught.value).replace(str(folder / "guard.py"), "guard.py")


def test_a_script_registers_what_it_says(tmp_path: Path) -> None:
    (script,) = load(
        tmp_path,
        """
        class Guard(Npc):
            npcs = ["bram"]
            archetypes = ["guard"]
            persona = "You are Bram."
            interaction_radius_m = 4
            tick_interval_s = 2.5

            def on_hear(self, heard): ...
            async def on_near(self, player): ...

            @at("08:30")
            @every(600, start_s=60)
            def yawn(self): ...
        """,
    )
    sent = script.registration
    assert (sent.script, sent.npcs, sent.archetypes) == ("guard.Guard", ("bram",), ("guard",))
    assert (sent.persona, sent.interaction_radius_m) == ("You are Bram.", 4.0)
    assert (sent.events, sent.tick_interval_s) == (("hear", "near", "tick"), 2.5)
    assert sent.schedule == (
        ScheduledCall(at_s=60.0, every_s=600.0),
        ScheduledCall(at_s=30_600.0, every_s=86_400.0),
    )
    assert [method for method, _ in script.scheduled] == ["yawn", "yawn"]


def test_only_what_is_handled_is_asked_for(tmp_path: Path) -> None:
    (script,) = load(tmp_path, "class Guard(Npc):\n    npcs = ['bram']")
    assert script.registration.events == ()
    assert script.registration.schedule is None
    assert script.registration.game_actions is None


def test_a_script_keeps_some_of_the_games_actions(tmp_path: Path) -> None:
    (script,) = load(tmp_path, "class G(Npc):\n    npcs = ['b']\n    game_actions = ['wave']")
    assert script.registration.game_actions == ("wave",)
    (script,) = load(tmp_path, "class G(Npc):\n    npcs = ['b']\n    game_actions = []")
    assert script.registration.game_actions == ()
    said = mistake(tmp_path, "class G(Npc):\n    npcs = ['b']\n    game_actions = 'wave'")
    assert "G.game_actions must be a list" in said


def test_an_action_is_its_signature(tmp_path: Path) -> None:
    (script,) = load(
        tmp_path,
        '''
        from enum import Enum
        from typing import Annotated, Literal
        from pydantic import Field

        class Pace(Enum):
            SLOW = "slow"
            FAST = "fast"

        class Guard(Npc):
            npcs = ["bram"]

            @action
            def open_gate(
                self,
                gate: Literal["north", "south"],
                coins: Annotated[int, Field(ge=1, le=9, description="the toll")],
                pace: Pace = Pace.SLOW,
                wide: bool = False,
            ) -> None:
                """Open a gate
                of the town."""
        ''',
    )
    (spec,) = script.registration.actions
    assert (spec.name, spec.description) == ("open_gate", "Open a gate\nof the town.")
    assert spec.parameters == {
        "type": "object",
        "additionalProperties": False,
        "required": ["gate", "coins"],
        "properties": {
            "gate": {"type": "string", "enum": ["north", "south"]},
            "coins": {"type": "integer", "minimum": 1, "maximum": 9, "description": "the toll"},
            "pace": {"type": "string", "enum": ["slow", "fast"], "default": "slow"},
            "wide": {"type": "boolean", "default": False},
        },
    }


def test_models_in_an_action_are_spelt_out(tmp_path: Path) -> None:
    (script,) = load(
        tmp_path,
        """
        from pydantic import BaseModel

        class Item(BaseModel):
            title: str
            price: int = 1

        class Guard(Npc):
            npcs = ["bram"]

            @action
            def sell(self, items: list[Item]) -> None:
                "Sell some things."
        """,
    )
    assert script.registration.actions[0].parameters["properties"]["items"] == {
        "type": "array",
        "items": {
            "type": "object",
            "properties": {"title": {"type": "string"}, "price": {"type": "integer", "default": 1}},
            "required": ["title"],
        },
    }


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = 1", ("guard.py:1:", "no class derived from callsheet.mod.Npc", "class Guard(Npc)")),
        ("class Guard(Npc", ("guard.py:2:", "not valid Python", "class Guard(Npc")),
        ("class Guard(Npc): pass", ("guard.py:2:", "speaks for nobody", "archetypes =")),
        ("class G(Npc): npcs = 'bram'", ("guard.py:2:", "must be a list", "npcs = ['bram']")),
        ("class G(Npc): npcs = ['b r']", ("guard.py:2:", 'G.npcs.0 cannot be "b r"')),
        (
            "class G(Npc):\n  npcs = ['b']\n  interaction_radius_m = -1",
            ("guard.py:4:", "G.interaction_radius_m cannot be -1", "must be at least 0"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  def on_heard(self, heard): ...",
            ("guard.py:4:", "G.on_heard is not a handler", "rename it to on_hear"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  def on_near(self): ...",
            ("guard.py:4:", "on_near(self) cannot be called", "write def on_near(self, player)"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @every(5)\n  def yawn(self, x): ...",
            ("guard.py:5:", "yawn(self, x) cannot be called", "write def yawn(self)"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  def a(self): ...\n  def a(self): ...",
            ("guard.py:5:", "G.a is there twice", "the first is in line 4"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self, deep): 'Nod.'",
            ("guard.py:5:", "parameter 'deep' of action nod has no type", "write deep: str"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self, deep: Bool): 'Nod.'",
            ("guard.py:5:", "an annotation of nod is wrong", "Bool"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self, at: object()): 'Nod.'",
            ("guard.py:5:", "nod"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self, p: Npc): 'Nod.'",
            ("guard.py:5:", "action nod has a parameter the model cannot fill in", "use str, int"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self, *deep: str): 'Nod.'",
            ("guard.py:5:", "parameter 'deep' of action nod has no fixed name"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self): ...",
            ("guard.py:5:", "the model is not told what nod does", "docstring"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self, n: int = 'x'): 'Nod.'",
            ("guard.py:5:", "action nod: n:", "valid integer"),
        ),
        (
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self):\n    'Nod.'\n    print(1)",
            ("guard.py:5:", "the body of action nod would never run", "on_action_done"),
        ),
        (
            "def half(x):\n  return 1 / x\nhalf(0)",
            ("line 4", "half(0)", "line 3", "ZeroDivisionError"),
        ),
        (
            "from pydantic import BaseModel\nclass T(BaseModel):\n  sub: list['T']\n"
            "class G(Npc):\n  npcs = ['b']\n  @action\n  def nod(self, t: T): 'Nod.'",
            ("guard.py:8:", "T contains itself"),
        ),
        ("@at('25:00')\ndef f(): ...", ("at('25:00')", "HH:MM")),
    ],
)
def test_a_mistake_names_the_line_and_the_fix(
    tmp_path: Path, source: str, told: tuple[str, ...]
) -> None:
    message = mistake(tmp_path, source)
    for part in told:
        assert part in message
    assert "site-packages" not in message
    assert "callsheet/mod/" not in message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(ModError, match=r"none\.py: cannot be read: .*No such file"):
        load_scripts(tmp_path / "none.py")


def test_the_starter_is_a_mod(tmp_path: Path) -> None:
    path = tmp_path / "first.py"
    path.write_text(STARTER.format(file="first.py"), encoding="utf-8")
    (script,) = load_scripts(path)
    assert script.registration.actions[0].name == "open_gate"


def test_the_mod_in_the_documentation_is_a_mod(tmp_path: Path) -> None:
    text = (Path(__file__).parents[2] / "docs/mods.md").read_text(encoding="utf-8")
    path = tmp_path / "guard.py"
    path.write_text(text.split("```python\n")[1].split("```")[0], encoding="utf-8")
    (script,) = load_scripts(path)
    assert [action.name for action in script.registration.actions] == ["open_gate"]


@pytest.mark.parametrize(
    ("lines", "line", "words"),
    [
        ("import itertools\nfor _ in itertools.count():\n    pass", (2, 3), "still running after"),
        ("import time\ntime.sleep(60)", (2,), "still running after"),
        ("x = 1\nimport sys\nsys.exit(3)", (3,), "ends the process while it is read"),
        ("raise KeyboardInterrupt", (1,), "failed while it was read"),
    ],
)
def test_a_file_that_does_not_come_to_an_end_is_named_by_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lines: str, line: tuple[int, ...], words: str
) -> None:
    monkeypatch.setattr(reading, "LIMIT_S", 0.2)
    path = tmp_path / "guard.py"
    path.write_text(lines, encoding="utf-8")
    with pytest.raises(ModError) as raised:
        load_scripts(path)
    assert words in str(raised.value)
    told = str(raised.value)
    assert any(f"guard.py:{at}:" in told or f"line {at}," in told for at in line)


def test_tracebacks_quote_the_code_that_ran(tmp_path: Path) -> None:
    path = tmp_path / "guard.py"
    source = "class G(Npc):\n    npcs = ['b']\n    def on_spawn(self):\n"
    path.write_text(f"{HEAD}{source}        raise ValueError('old')\n", encoding="utf-8")
    (script,) = load_scripts(path)
    path.write_text("# nothing of it is here any more\n" * 9, encoding="utf-8")
    with pytest.raises(ModError):
        load_scripts(path)
    with pytest.raises(ValueError, match="old") as raised:
        script.npc_class.on_spawn(object())  # type: ignore[attr-defined]
    shown = clean_traceback(raised.value, path)
    assert "raise ValueError('old')" in shown
    assert "any more" not in shown
