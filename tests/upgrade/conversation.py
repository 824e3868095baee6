"""Plays a short evening with whichever SDK is on the path, and prints what happened as JSON.

    python conversation.py ws://127.0.0.1:8765

Uses only what every version of the SDK has had.
"""

from __future__ import annotations

import asyncio
import json
import sys
from typing import Any

from toxic.proxy import Proxy

import callsheet
from callsheet import wire
from callsheet.wire.base import ServerMessage

QUICK = callsheet.ClientSettings(backoff_min_s=0.01, backoff_max_s=0.02)
NPCS = [
    callsheet.NpcSpec(npc="bob", name="Brom", archetype="keeper"),
    callsheet.NpcSpec(npc="eve", name="Eve"),
]
POUR = wire.ActionSpec(name="pour", description="Pour a drink.", parameters={"type": "object"})


TOLD_OBSERVER = {"npc_states", "reply_end", "stats"}
TOLD_MOD = {"heard", "player_near", "action_done"}


def kinds(events: list[object]) -> set[str]:
    return {getattr(event, "type", "") for event in events} - {""}


async def evening(url: str, proxy: Proxy) -> dict[str, Any]:
    async with (
        callsheet.connect(proxy.url, role="game", world="inn", settings=QUICK) as game,
        callsheet.connect(url, role="mod", world="inn", settings=QUICK) as mod,
        callsheet.connect(url, role="observer", world="inn", settings=QUICK) as observer,
    ):
        seen: list[object] = []
        told: list[object] = []
        observer.on(seen.append, ServerMessage)
        mod.on(told.append, ServerMessage)
        answers: list[asyncio.Future[None]] = []

        def answer(event: wire.Action | wire.Heard) -> None:
            if isinstance(event, wire.Action):
                answers.append(asyncio.ensure_future(game.answer_action(event, ok=True)))
            else:
                facts = wire.HearAnswer(call=event.call, material="The beer is out.")
                answers.append(asyncio.ensure_future(mod.send(facts)))

        game.on(answer, wire.Action)
        mod.on(answer, wire.Heard)
        poured = asyncio.Event()
        mod.on(lambda _: poured.set(), wire.ActionDone)
        await observer.subscribe("replies", "residency", "npcs", "stats", interval_s=0.1)
        await game.configure_world(lore="An inn by the sea.")
        handles = await game.spawn(NPCS, [callsheet.PlayerSpec(player="ann", name="Ann")])
        speaks_for = await mod.register_script(
            wire.RegisterScript(
                id=1, script="keeper", archetypes=("keeper",), events=("hear", "near"),
                actions=(POUR,),
            )
        )  # fmt: skip
        acks: asyncio.Queue[wire.TickAck] = asyncio.Queue()
        game.on(acks.put_nowait, wire.TickAck)
        ticks = [
            await game.send_tick(
                game_time_s, list(handles.npcs.values()), [[0.0, 0.0, 0.0], [9.0, 0.0, 0.0]],
                player_handles=list(handles.players.values()),
                player_positions_m=[[1.0, 0.0, 0.0]], ack=True,
            )
            for game_time_s in (1.0, 2.0)
        ]  # fmt: skip
        first_ack = await acks.get()
        end = await (await game.say("bob", "A beer, please.", speaker="ann"))
        await poured.wait()
        proxy.cut()
        after = await (await game.say("eve", "Who are you?", speaker="ann"))
        try:
            await (await game.say("nobody", "Hello?"))
        except callsheet.CallsheetError as error:
            refusal = str(error.code)
        explained = await game.explain("bob")
        while not (kinds(seen) >= TOLD_OBSERVER and kinds(told) >= TOLD_MOD):  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        await asyncio.gather(*answers)
        return {
            "client": wire.PROTOCOL,
            "server": game.welcome.protocol,
            "speaks_for": speaks_for,
            "acked": first_ack.tick in ticks,
            "ends": [end.finish_reason, after.finish_reason],
            "texts": [bool(end.text), bool(after.text)],
            "resumed": proxy.connections > 1 and game.welcome.resumed,
            "refusal": refusal,
            "explained": sorted(one.name for one in explained.estimators),
            "mod": sorted(kinds(told)),
            "observer": sorted(kinds(seen) & TOLD_OBSERVER),
        }


async def main(url: str) -> None:
    async with Proxy(int(url.rpartition(":")[2])) as proxy:
        sys.stdout.write(json.dumps(await evening(url, proxy)))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
