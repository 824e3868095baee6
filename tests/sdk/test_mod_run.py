"""Mods as real processes beside a real server and a real game."""

from __future__ import annotations

import asyncio
import signal
import sys
import textwrap
from pathlib import Path

import pytest
from ports import free_port
from sdk.conftest import ROOT, Programs, real_server

import callsheet
from callsheet import Client, NpcSpec, PlayerSpec

GUARD = """
import time
from pathlib import Path

from callsheet.mod import Npc, action, every

class Guard(Npc):
    archetypes = ["guard"]
    persona = "You are a guard."
    interaction_radius_m = 4
    tick_interval_s = 0.1

    @action
    def open_gate(self, reason: str) -> None:
        "Open the gate."

    def on_spawn(self):
        print("spawned", self.npc)

    def on_hear(self, heard):
        if heard.text == "crash":
            return 1 / 0
        if heard.text == "wait":
            while not Path(__file__).with_name("go on").exists():
                time.sleep(0.01)
        if heard.text == "open up":
            return self.material("They may pass.")
        if heard.text == "silence":
            return self.ignore()
        return f"I am {self.npc}, version 1."

    async def on_near(self, player):
        await self.say(f"Halt, {player}!", audible_m=30)

    def on_action_done(self, done):
        print(f"{self.npc}: {done.name} {done.ok} {done.message}")

    @every(5, start_s=5)
    def yawn(self):
        print("yawned", self.npc)
"""


def mod(folder: Path, source: str = GUARD) -> Path:
    """Save the mod as editors do: at no moment is half a file there."""
    path = folder / "guard.py"
    written = folder / "guard.py~"
    written.write_text(textwrap.dedent(source), encoding="utf-8")
    return written.replace(path)


async def town(game: Client) -> callsheet.Handles:
    return await game.spawn(
        [NpcSpec(npc="bram", name="Bram", archetype="guard"), NpcSpec(npc="ada", name="Ada")],
        [PlayerSpec(player="ann", name="Ann")],
    )


async def ask(game: Client, text: str, npc: str = "bram") -> str:
    return (await (await game.say(npc, text, speaker="ann"))).text


async def ask_until(game: Client, answer: str) -> None:
    """Ask again until the mod, which has little time for each answer, gives this one."""
    while await ask(game, "Who are you?") != answer:
        pass


def run(url: str, path: Path) -> tuple[str, ...]:
    return ("-m", "callsheet", "mod", "run", str(path), "--url", url, "--world", "town")


async def test_a_mod_speaks_for_its_npcs(url: str, tmp_path: Path, programs: Programs) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        handles = await town(game)
        guard = await programs.start(*run(url, mod(tmp_path)))
        await guard.until("spawned bram")
        assert await ask(game, "Who are you?") == "I am bram, version 1."
        assert "version 1" not in await ask(game, "Who are you?", npc="ada")
        assert await ask(game, "silence") == ""

        said: asyncio.Queue[callsheet.ReplyEnd] = asyncio.Queue()
        game.on(said.put_nowait, callsheet.ReplyEnd)
        for game_time_s in (0.0, 1.0, 6.0):
            await game.send_tick(
                game_time_s,
                list(handles.npcs.values()),
                [[0.0, 0.0, 0.0], [900.0, 0.0, 0.0]],
                player_handles=list(handles.players.values()),
                player_positions_m=[[1.0, 0.0, 0.0]],
            )
        assert (await said.get()).text == "Halt, ann!"
        await guard.until("yawned bram")


async def test_actions_go_to_the_game_and_their_outcome_to_the_mod(
    url: str, tmp_path: Path, programs: Programs
) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        names = [f"guard{n}" for n in range(8)]
        await game.spawn([NpcSpec(npc=name, name=name, archetype="guard") for name in names])
        guard = await programs.start(*run(url, mod(tmp_path)))
        await guard.until("speaks for 8 NPCs")
        wanted: list[callsheet.Action] = []
        for name in names:
            reply = await game.say(name, "open up")
            await reply
            wanted += reply.actions
        # Some of eight guards open the gate; the scripted engine makes the same choice each time.
        assert wanted
        for one in wanted:
            assert one.name == "open_gate"
            assert isinstance(one.arguments["reason"], str)
            await game.answer_action(one, ok=False, message="it is stuck")
            await guard.until(f"the game refused open_gate of {one.npc!r}: it is stuck")
            await guard.until(f"{one.npc}: open_gate False it is stuck")


async def test_an_exception_is_shown_clean_and_disturbs_nobody(
    url: str, tmp_path: Path, programs: Programs
) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        await town(game)
        path = mod(tmp_path)
        guard = await programs.start(*run(url, path))
        await guard.until("spawned bram")
        assert await ask(game, "crash") != ""
        shown = await guard.until("ZeroDivisionError")
        line = GUARD.splitlines().index("            return 1 / 0") + 1
        assert "Guard.on_hear of 'bram' failed (given Heard(" in shown
        assert f'File "{path}", line {line}, in on_hear' in shown
        assert "return 1 / 0" in shown
        assert shown.count("File ") == 1
        assert await ask(game, "Still there?") == "I am bram, version 1."


async def test_a_late_handler_is_named(hasty_url: str, tmp_path: Path, programs: Programs) -> None:
    async with callsheet.connect(hasty_url, role="game", world="town") as game:
        await town(game)
        guard = await programs.start(*run(hasty_url, mod(tmp_path)))
        await guard.until("spawned bram")
        assert "version 1" not in await ask(game, "wait")
        await guard.until("Guard.on_hear of 'bram' is still running after 0.25 s")
        (tmp_path / "go on").touch()
        await guard.until("; its deadline is 0.25 s")
        await ask_until(game, "I am bram, version 1.")


async def test_saving_reloads_and_a_syntax_error_keeps_the_old_script(
    url: str, tmp_path: Path, programs: Programs
) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        await town(game)
        path = mod(tmp_path)
        guard = await programs.start(*run(url, path))
        await guard.until("spawned bram")
        mod(tmp_path, GUARD.replace("version 1", "version 1") + "\nclass Broken(Npc:\n")
        shown = await guard.until("the script from before goes on")
        assert f"{path}:" in shown
        assert "class Broken(Npc:" in shown
        assert await ask(game, "Who are you?") == "I am bram, version 1."
        mod(tmp_path, GUARD.replace("version 1", "version two"))
        await guard.until("guard.py was reloaded")
        assert await ask(game, "Who are you?") == "I am bram, version two."


async def test_a_save_while_the_file_is_read_is_not_missed(
    url: str, tmp_path: Path, programs: Programs
) -> None:
    path = mod(tmp_path)
    path.write_text(
        GUARD + f"Path(__file__).write_text({GUARD.replace('version 1', 'version two')!r})\n",
        encoding="utf-8",
    )
    async with callsheet.connect(url, role="game", world="town") as game:
        await town(game)
        guard = await programs.start(*run(url, path))
        await guard.until("guard.py was reloaded")
        assert await ask(game, "Who are you?") == "I am bram, version two."


BAKER = """
class Baker(Npc):
    npcs = ["ada"]

    def on_hear(self, heard):
        return "I bake, version 1."
"""


async def test_a_reload_that_is_refused_half_way_changes_nothing(
    url: str, tmp_path: Path, programs: Programs
) -> None:
    async with callsheet.connect(url, role="game", world="town") as game:
        await town(game)
        path = mod(tmp_path, GUARD + BAKER)
        guard = await programs.start(*run(url, path))
        await guard.until("guard.Baker speaks for 1 NPCs")
        # The server takes Guard and Smith, and refuses Baker: it knows no regular expressions.
        smith = """
class Smith(Npc):
    npcs = ["ada"]
    def on_hear(self, heard):
        return "Clang."
"""
        refused = BAKER + (
            "\n    @action\n"
            "    def knead(self, dough: Annotated[str, Field(pattern='a+')]) -> None:\n"
            "        'Knead.'\n"
        )
        source = GUARD + smith + refused
        head = "from typing import Annotated\nfrom pydantic import Field\n"
        mod(tmp_path, head + source.replace("version 1", "version two"))
        shown = await guard.until("the script from before goes on")
        written = path.read_text(encoding="utf-8").splitlines()
        line = next(n for n, text in enumerate(written, 1) if "def knead" in text)
        assert f"{path}:{line}: the server refuses Baker: " in shown
        assert await ask(game, "Who are you?") == "I am bram, version 1."
        assert await ask(game, "Who are you?", npc="ada") == "I bake, version 1."
        mod(tmp_path, (GUARD + BAKER).replace("version 1", "version 3"))
        await guard.until("guard.py was reloaded")
        assert await ask(game, "Who are you?") == "I am bram, version 3."
        assert await ask(game, "Who are you?", npc="ada") == "I bake, version 3."


async def test_a_mod_may_start_first_and_outlive_the_game(
    url: str, tmp_path: Path, programs: Programs
) -> None:
    guard = await programs.start(*run(url, mod(tmp_path)))
    await guard.until("speaks for 0 NPCs")
    for _ in range(2):
        async with callsheet.connect(url, role="game", world="town") as game:
            await town(game)
            await guard.until("spawned bram")
            assert await ask(game, "Who are you?") == "I am bram, version 1."
        await guard.until("the game is gone")


async def test_a_mod_outlives_the_server(tmp_path: Path, programs: Programs) -> None:
    port = free_port()
    url = f"ws://127.0.0.1:{port}"
    async with real_server(port):
        guard = await programs.start(*run(url, mod(tmp_path)))
        await guard.until("speaks for 0 NPCs")
    await guard.until("trying again")
    async with real_server(port), callsheet.connect(url, role="game", world="town") as game:
        await guard.until("speaks for 0 NPCs")
        await town(game)
        await guard.until("spawned bram")
        assert await ask(game, "Who are you?") == "I am bram, version 1."


async def test_saving_helps_a_handler_that_never_ends(
    hasty_url: str, tmp_path: Path, programs: Programs
) -> None:
    async with callsheet.connect(hasty_url, role="game", world="town") as game:
        await town(game)
        guard = await programs.start(*run(hasty_url, mod(tmp_path)))
        await guard.until("spawned bram")
        assert "version 1" not in await ask(game, "wait")
        await guard.until("is still running")
        mod(tmp_path)
        await guard.until("was reloaded")
        await ask_until(game, "I am bram, version 1.")
        guard.process.terminate()
        await guard.end()


@pytest.mark.skipif(sys.platform == "win32", reason="Windows sends Ctrl-C to the whole console")
async def test_ctrl_c_ends_a_mod_at_once(url: str, tmp_path: Path, programs: Programs) -> None:
    source = GUARD.replace('print("spawned", self.npc)', "while True: pass")
    guard = await programs.start(*run(url, mod(tmp_path, source)))
    await guard.until("speaks for 0 NPCs")
    async with callsheet.connect(url, role="game", world="town") as game:
        await town(game)
    await guard.until("the game is gone")
    guard.process.send_signal(signal.SIGINT)
    status, printed = await guard.end()
    assert status == 130
    assert "Traceback" not in printed


async def test_the_examples_run(url: str, programs: Programs) -> None:
    game = await programs.start(str(ROOT / "examples/minimal_game.py"), url)
    status, printed = await game.end()
    assert status == 0, printed
    assert printed.strip()
    path = ROOT / "examples/tavern_mod.py"
    tavern = await programs.start(
        "-m", "callsheet", "mod", "run", str(path), "--url", url, "--world", "tavern"
    )
    await tavern.until("tavern_mod.Innkeeper speaks for 0 NPCs")
    async with callsheet.connect(url, role="game", world="tavern") as tavern_game:
        bram = NpcSpec(npc="bram", name="Bram", archetype="innkeeper")
        await tavern_game.spawn([bram], [PlayerSpec(player="ann", name="Ann")])
        reply = await tavern_game.say("bram", "Fire!", speaker="ann")
        assert (await reply).text == "Everybody out!"


@pytest.mark.parametrize(
    ("source", "status", "told"),
    [
        ("x = 1", 2, "no class derived from callsheet.mod.Npc"),
        ("class Guard(Npc", 2, "not valid Python"),
    ],
)
async def test_a_mistake_at_the_start_is_one_message(
    tmp_path: Path, programs: Programs, source: str, status: int, told: str
) -> None:
    path = mod(tmp_path, source)
    ended = await (await programs.start(*run("ws://127.0.0.1:1", path))).end()
    assert ended[0] == status
    assert told in ended[1]
    assert "Traceback" not in ended[1]


async def test_mod_new_writes_a_mod_once(tmp_path: Path, programs: Programs) -> None:
    arguments = ("-m", "callsheet", "mod", "new", str(tmp_path / "first.py"))
    status, printed = await (await programs.start(*arguments)).end()
    assert (status, "callsheet mod run" in printed) == (0, True)
    status, printed = await (await programs.start(*arguments)).end()
    assert (status, "is there already" in printed) == (1, True)


async def test_facts_outlive_a_mod(url: str, tmp_path: Path, programs: Programs) -> None:
    source = """
    from callsheet.mod import Npc

    class Guard(Npc):
        archetypes = ["guard"]

        async def on_spawn(self):
            print("recalls", await self.recall())

        async def on_hear(self, heard):
            await self.remember(last=heard.text, cell={"n": 3}, gone=None)
            return "Noted."
    """
    async with callsheet.connect(url, role="game", world="town") as game:
        await town(game)
        path = mod(tmp_path, source)
        guard = await programs.start(*run(url, path))
        await guard.until("recalls {}")
        assert await ask(game, "I am Ann.") == "Noted."
        assert await game.get_facts("bram") == {"last": "I am Ann.", "cell": {"n": 3}}
        await game.set_facts("bram", {"cell": None})
        again = await programs.start(*run(url, path))
        await again.until("recalls {'last': 'I am Ann.'}")


async def test_a_script_says_when_its_actions_are_offered(
    url: str, tmp_path: Path, programs: Programs
) -> None:
    source = """
        from callsheet.mod import Npc, action

        class Guard(Npc):
            archetypes = ["guard"]

            @action(when=lambda self, heard: "please" in heard.text)
            def open_gate(self) -> None:
                "Open the gate."

            @action
            def shut_gate(self) -> None:
                "Shut the gate."

            def on_hear(self, heard):
                return self.deny("shut_gate") if "stay" in heard.text else None
    """
    async with callsheet.connect(url, role="game", world="town") as game:
        names = [f"guard{n}" for n in range(8)]
        await game.spawn([NpcSpec(npc=name, name=name, archetype="guard") for name in names])
        guard = await programs.start(*run(url, mod(tmp_path, source)))
        await guard.until("speaks for 8 NPCs")
        taken: dict[str, set[str]] = {}
        for text in ("stay", "stay, please", "go"):
            for name in names:
                reply = await game.say(name, text)
                await reply
                taken.setdefault(text, set()).update(one.name for one in reply.actions)
        assert taken == {"stay": set(), "stay, please": {"open_gate"}, "go": {"shut_gate"}}
