"""New weights under an adapter's name, while requests for it keep coming.

SGLang's own way is /unload_lora_adapter, then /load_lora_adapter. A request that comes between the
two makes SGLang load the old weights again, from where it had them, and the second call then fails
because the name is taken: the old weights stay. Here a request in between gets the new ones.

What old weights computed is not used with new ones: SGLang gives an adapter a new id each time it
is loaded, and the id is part of the prefix cache's keys.
"""

from __future__ import annotations

import asyncio
from typing import Any

import orjson
from fastapi import FastAPI, Response
from pydantic import BaseModel, ConfigDict, Field
from sglang.srt.entrypoints import http_server
from sglang.srt.lora.lora_registry import LoRARef
from sglang.srt.managers.io_struct import LoadLoRAAdapterReqInput, UnloadLoRAAdapterReqInput
from sglang.srt.utils.auth import AuthLevel, auth_level

from callsheet_sglang.wire import ADAPTERS_PATH

__all__ = ["NewWeights", "add_swap_route"]

one_at_a_time = asyncio.Lock()


class NewWeights(BaseModel):
    """Body of POST /callsheet/v1/adapters."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, description="The adapter's name; a new one is added.")
    path: str = Field(min_length=1, description="Folder of the new weights, in PEFT format.")


def add_swap_route(app: FastAPI) -> None:
    """Add it, behind the same key as SGLang's own adapter routes."""
    app.add_api_route(ADAPTERS_PATH, swap, methods=["POST"])


@auth_level(AuthLevel.ADMIN_OPTIONAL)  # type: ignore[untyped-decorator]
async def swap(weights: NewWeights) -> Response:
    """Answer 204 once every later request gets the new weights.

    Requests that run finish with the old weights first; those that come meanwhile wait. 400 if the
    new weights cannot be loaded: the old ones are back then.
    """
    manager = http_server.get_global_state().tokenizer_manager
    async with one_at_a_time:
        error = await _replace(manager, weights)
    if error is None:
        return Response(status_code=204)
    body = {"error": f"adapter {weights.name!r} was not loaded from {weights.path!r}: {error}"}
    return Response(orjson.dumps(body), 400, media_type="application/json")


async def _replace(manager: Any, weights: NewWeights) -> str | None:
    """Return why not, if not."""
    reloads = manager.lora_ref_cache  # What SGLang loads if a name it has unloaded is asked for.
    old = reloads.get(weights.name)
    new = LoRARef(lora_name=weights.name, lora_path=weights.path, pinned=old and old.pinned)
    reloads[weights.name] = new
    if weights.name in manager.lora_registry.get_all_adapters():
        await manager.unload_lora_adapter(UnloadLoRAAdapterReqInput(lora_name=weights.name))
    if (error := await _load(manager, new)) is None:
        return None
    del reloads[weights.name]
    if old is not None:
        reloads[weights.name] = old
        await _load(manager, old)
    return error


async def _load(manager: Any, ref: Any) -> str | None:
    """Return why not, if not. A request may have been first, which is as good."""
    result = await manager.load_lora_adapter(
        LoadLoRAAdapterReqInput(
            lora_name=ref.lora_name, lora_path=ref.lora_path, pinned=bool(ref.pinned)
        )
    )
    loaded = manager.lora_registry.get_all_adapters().get(ref.lora_name)
    if loaded is not None and loaded.lora_path == ref.lora_path:
        return None
    return str(result.error_message)
