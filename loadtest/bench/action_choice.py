"""Whether a model chooses actions when they are meant: precision and recall.

python loadtest/bench/action_choice.py [--root CHECKOUT] [--set KEY=VALUE ...] [--show]

Sixty lines are said to an innkeeper and a guard; each asks for one of the NPC's actions, or for
none. Precision is the share of the actions chosen that were asked for, recall the share of those
asked for that were chosen. The result belongs into ``engine/models/catalogue.py``.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
from pathlib import Path
from typing import Any

from server_process import server_of

import callsheet
from callsheet import ActionSpec, NpcSpec, PlayerSpec, RegisterScript, SamplingSpec

ROOT = Path(__file__).parents[2]
NOTHING: dict[str, Any] = {"type": "object", "properties": {}, "additionalProperties": False}
ACTIONS = {
    "bram": (
        ("serve_drink", "Serve a drink that the guest has ordered."),
        ("rent_room", "Give the guest a room for the night, if they ask to sleep here."),
    ),
    "hale": (
        ("open_gate", "Open the gate for somebody who asks to pass."),
        ("arrest", "Arrest somebody who confesses a crime."),
    ),
}
PERSONAS = {
    "bram": NpcSpec(npc="bram", name="Bram", persona="You are a friendly innkeeper."),
    "hale": NpcSpec(npc="hale", name="Captain Hale", persona="You command the gate guard."),
}
LINES: dict[tuple[str, str], tuple[str, ...]] = {
    ("bram", "serve_drink"): (
        "A beer, please.",
        "Bring me a glass of your red wine.",
        "I am thirsty. One ale!",
        "Fill my tankard again.",
        "I will have a cider.",
    ),
    ("bram", "rent_room"): (
        "Do you have a bed for tonight? I will take it.",
        "I would like to sleep here.",
        "Give me a room, please.",
        "I want to rent your best room.",
        "I need a place for the night. Give me the key.",
    ),
    ("bram", "none"): (
        "Good evening!",
        "I do not want to buy anything.",
        "What is your name?",
        "Who lives in the tower?",
        "Tell me a joke.",
        "It is raining again.",
        "Do you know the baker?",
        "I am only looking.",
        "I do not drink.",
        "I already have a room elsewhere.",
        "Your house is beautiful.",
        "How long have you lived here?",
        "My feet hurt.",
        "Did you hear the bells?",
        "I must go now.",
        "No wine for me, thank you.",
        "Is the road safe?",
        "Who is that man over there?",
        "You look tired.",
        "Good night.",
    ),
    ("hale", "open_gate"): (
        "Open the gate, please. I want to go in.",
        "Let me pass, captain.",
        "May I come through the gate?",
        "I have business in town. Open up!",
        "Would you open the gate for my cart?",
    ),
    ("hale", "arrest"): (
        "I stole the baker's purse. I confess.",
        "It was me who set the barn on fire.",
        "I killed a man. Take me away.",
        "I am the thief you are looking for.",
        "I confess: I broke into the chapel.",
    ),
    ("hale", "none"): (
        "Good day, captain.",
        "I do not want to go in.",
        "How long is your watch?",
        "Cold today, is it not?",
        "Who made your armour?",
        "I am waiting for my brother.",
        "Have you ever been in a war?",
        "I have done nothing wrong.",
        "Leave the gate shut, I am going home.",
        "Where can I buy bread?",
        "Your men look hungry.",
        "Is the captain's job hard?",
        "What do you think of the mayor?",
        "I saw two riders on the road.",
        "The river is low this year.",
        "Do you play cards?",
        "Who is the best fighter here?",
        "My horse is lame.",
        "I will come back tomorrow.",
        "Farewell.",
    ),
}


async def chosen(url: str) -> list[tuple[str, str, str, str]]:
    """NPC, line, what was asked for and what was done, for every line."""
    asked = [(npc, line, wanted) for (npc, wanted), lines in LINES.items() for line in lines]
    done: list[tuple[str, str, str, str]] = []
    async with (
        callsheet.connect(url, role="game", world="actions") as game,
        callsheet.connect(url, role="mod", world="actions") as mod,
    ):
        # One NPC for each line: nobody remembers the line before.
        specs = [
            PERSONAS[npc].model_copy(update={"npc": f"{npc}-{at}", "archetype": npc})
            for at, (npc, _, _) in enumerate(asked)
        ]
        await game.spawn(specs, [PlayerSpec(player="ann", name="Ann")])
        for npc, offers in ACTIONS.items():
            actions = tuple(
                ActionSpec(name=name, description=text, parameters=NOTHING) for name, text in offers
            )
            await mod.register_script(
                RegisterScript(id=1, script=npc, archetypes=(npc,), actions=actions)
            )

        async def ask(spec: NpcSpec, npc: str, line: str, wanted: str) -> None:
            sampling = SamplingSpec(seed=1)
            reply = await game.say(spec.npc, line, speaker="ann", sampling=sampling, max_tokens=24)
            await reply
            took = reply.actions[0].name if reply.actions else "none"
            done.append((npc, line, wanted, took))
            print(f"\r{len(done)} of {len(asked)}", end="", flush=True)

        await asyncio.gather(*(ask(spec, *one) for spec, one in zip(specs, asked, strict=True)))
    print()
    return done


async def measure(root: Path, settings: tuple[str, ...]) -> list[tuple[str, str, str, str]]:
    with tempfile.TemporaryDirectory() as folder:
        places = (f"storage.directory={folder}/worlds", f"embedded.state_dir={folder}/state")
        async with server_of(root, "embedded", (*places, *settings)) as url:
            return await chosen(url)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--root", type=Path, default=ROOT, help="a checkout")
    parser.add_argument("--set", action="append", default=[], help="a setting of the server")
    parser.add_argument("--show", action="store_true", help="print every line")
    arguments = parser.parse_args()
    always = () if arguments.root != ROOT else ("reply.actions=always",)
    done = asyncio.run(measure(arguments.root.resolve(), (*always, *arguments.set)))
    right = sum(took == wanted != "none" for _, _, wanted, took in done)
    acted = sum(took != "none" for *_, took in done)
    meant = sum(wanted != "none" for _, _, wanted, _ in done)
    if arguments.show:
        for npc, line, wanted, took in done:
            print(f"{'   ' if wanted == took else '-> '}{npc}: {line}  {wanted} / {took}")
    precision = f"{right / acted:.2f}" if acted else "-"
    print(
        f"{len(done)} lines: {acted} actions, {right} of them asked for, {meant} asked for in all"
    )
    print(f"precision {precision}, recall {right / meant:.2f}")


if __name__ == "__main__":
    main()
