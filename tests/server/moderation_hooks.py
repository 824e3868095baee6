"""Hooks as somebody might write them."""

from __future__ import annotations

import asyncio
import time

from callsheet_server.talk.moderation import Utterance

seen: list[Utterance] = []


def no_gold(utterance: Utterance) -> bool:
    seen.append(utterance)
    return "gold" not in utterance.text


async def no_gold_async(utterance: Utterance) -> bool:
    await asyncio.sleep(0)
    return no_gold(utterance)


async def hangs(utterance: Utterance) -> bool:
    await asyncio.sleep(60)
    return True


def blocks(utterance: Utterance) -> bool:
    time.sleep(0.3)
    return True


def raises(utterance: Utterance) -> bool:
    raise ValueError(utterance.text)
