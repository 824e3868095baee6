"""An innkeeper with a daily round and things to serve.

Run it beside a game: callsheet mod run examples/tavern_mod.py --world tavern
Save the file while it runs and it is reloaded.
"""

from typing import Annotated, Literal

from pydantic import Field

from callsheet.mod import ActionDone, Answer, Heard, Npc, action, at, every

STEW = {"morning": "porridge with honey", "evening": "lamb stew, the last four bowls"}


class Innkeeper(Npc):
    archetypes = ["innkeeper"]
    persona = """You keep the inn "The Blue Boar". You are tired, kind and proud of your kitchen.
You speak in one or two short sentences. Serve what is asked for with the action serve."""
    interaction_radius_m = 4.0
    tick_interval_s = 10.0

    def __init__(self) -> None:
        self.meal = "evening"
        self.guests: set[str] = set()

    @action
    def serve(
        self,
        dish: Annotated[Literal["stew", "bread", "ale"], Field(description="what is brought")],
        price_pence: Annotated[int, Field(ge=0, le=50)] = 3,
    ) -> None:
        "Bring a guest something to eat or drink."

    def on_action_done(self, done: ActionDone) -> None:
        if not done.ok:
            self.prompt(f"You could not {done.name}: {done.message}. Say so.")

    def on_near(self, player: str) -> None:
        if player not in self.guests:
            self.guests.add(player)
            self.say("Come in, come in! Mind the step.")

    def on_hear(self, heard: Heard) -> Answer | str:
        if "fire" in heard.text.lower():
            return "Everybody out!"  # said at once, without the model
        return self.material(f"Today's meal is {STEW[self.meal]}. {len(self.guests)} guests came.")

    @at("06:00")
    def breakfast(self) -> None:
        self.meal = "morning"

    @at("17:00")
    def supper(self) -> None:
        self.meal = "evening"

    @every(900)
    async def think_aloud(self) -> None:
        await self.prompt("Nobody speaks to you. Mutter one sentence about your day.")
