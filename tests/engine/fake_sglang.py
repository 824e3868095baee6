"""A small HTTP server that answers as SGLang 0.5.23 with Callsheet's plugin does, and misbehaves.

Run as a script; it takes the flags of ``sglang.launch_server`` that matter and ignores the rest.
``POST /fake`` with JSON sets how it behaves from then on; ``GET /fake`` tells what it has seen. It
imports of ours only the wire format.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import os
import sys
from typing import Any

import numpy as np
import orjson
from aiohttp import web

from callsheet_sglang import wire

WORDS = ("well ", "met, ", "stranger. ", "What ", "brings ", "you ", "here? ", "Sit ", "down. ")
DEVICE, ABSENT = 0, 3


class FakeSglang:
    """One scheduler with ``slots`` places; requests beyond wait, smallest priority first."""

    def __init__(self, options: argparse.Namespace) -> None:
        self.options = options
        self.behaviour: dict[str, Any] = {
            "version": "0.5.23",
            "plugin": True,
            "wire_version": 1,
            "plugin_version": "0.1.0",
            "model": "fake",
            "first_token_s": None,
            "token_s": 0.002,
            "slots": 8,
            "health": 200,
            "generate_status": 200,
            "abort_with": None,
            "hang": False,
            "enable_lora": True,
            "refused_folder": None,
        }
        self.requests: list[dict[str, Any]] = []
        self.order: list[str] = []
        self.aborted: list[str] = []
        self.distance_bytes = self.residency_looks = 0
        self.due_s: dict[int | str, float] = {}
        self.adapters: dict[int | str, str | None] = {}
        self.resident: dict[int | str, int] = {}
        self.weights: dict[str, str] = {}
        """Folder by adapter, of those that were told while it ran."""
        self.running: set[str] = set()
        self.waiting: list[tuple[int, int, asyncio.Event]] = []
        self.news = asyncio.Event()
        """Set, and replaced, when a request is aborted or the behaviour changes."""

    def routes(self) -> list[web.RouteDef]:
        return [
            web.get("/health", self.health),
            web.get("/server_info", self.server_info),
            web.get("/model_info", self.model_info),
            web.post("/generate", self.generate),
            web.post("/abort_request", self.abort),
            web.get("/v1/models", self.models),
            web.post("/v1/chat/completions", self.chat),
            web.post(wire.DISTANCES_PATH, self.distances),
            web.post(wire.NPCS_PATH, self.npcs),
            web.post(wire.ADAPTERS_PATH, self.load_adapter),
            web.post("/unload_lora_adapter", self.unload_adapter),
            web.get(wire.RESIDENCY_PATH, self.residency),
            web.get(wire.STATUS_PATH, self.status),
            web.get("/fake", self.tell),
            web.post("/fake", self.behave),
        ]

    @web.middleware
    async def guard(self, request: web.Request, handler: Any) -> web.StreamResponse:
        key = self.options.api_key
        if self.behaviour["hang"] and request.path != "/fake":
            await asyncio.sleep(3600)
        open_to_all = request.path in ("/health", "/fake")
        if key and not open_to_all and request.headers.get("Authorization") != f"Bearer {key}":
            return web.json_response({"error": "Unauthorized"}, status=401)
        response: web.StreamResponse = await handler(request)
        return response

    async def behave(self, request: web.Request) -> web.Response:
        change = await request.json()
        if change.pop("crash", False):
            os._exit(9)
        assert set(change) <= set(self.behaviour), change
        self.behaviour |= change
        self._tell_news()
        return web.json_response({})

    async def tell(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "requests": self.requests,
                "order": self.order,
                "aborted": self.aborted,
                "distance_bytes": self.distance_bytes,
                "residency_looks": self.residency_looks,
                "known": sorted(self.due_s, key=order_of),
                "adapters": {str(k): v for k, v in self.adapters.items()},
                "weights": self.weights,
                "running": len(self.running),
                "pid": os.getpid(),
            }
        )

    async def health(self, request: web.Request) -> web.Response:
        return web.Response(status=self.behaviour["health"])

    async def server_info(self, request: web.Request) -> web.Response:
        return web.json_response(
            {
                "version": self.behaviour["version"],
                "served_model_name": self.behaviour["model"],
                "device": "cpu",
                "context_length": None,
                "max_req_input_len": 1000,
                "max_total_num_tokens": 4000,
                "page_size": 1,
                "enable_hierarchical_cache": True,
                "hicache_ratio": 2.0,
                "enable_priority_scheduling": True,
                "schedule_low_priority_values_first": True,
                "incremental_streaming_output": False,
                "enable_lora": self.behaviour["enable_lora"],
            }
        )

    async def model_info(self, request: web.Request) -> web.Response:
        path = self.options.model_path
        return web.json_response(
            {"served_model_name": self.behaviour["model"], "tokenizer_path": path}
        )

    # --- requests ----------------------------------------------------------------------------

    async def generate(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        if (status := self.behaviour["generate_status"]) != 200:
            return web.json_response({"error": {"message": "as asked"}}, status=status)
        await self._turn(body["rid"], body.get("priority", 0))
        self.order.append(body["rid"])
        self.running.add(body["rid"])
        try:
            return await self._answer(request, body)
        finally:
            self.running.discard(body["rid"])
            if self.waiting:
                self.waiting.pop(0)[2].set()

    async def _turn(self, rid: str, priority: int) -> None:
        if len(self.running) >= self.behaviour["slots"]:
            turn = asyncio.Event()
            self.waiting.append((priority, len(self.requests), turn))
            self.waiting.sort(key=lambda entry: entry[:2])
            await turn.wait()

    async def _answer(self, request: web.Request, body: dict[str, Any]) -> web.StreamResponse:
        sampling, npc = body["sampling_params"], wire.npc_of(body.get("session_id"))
        handle = None if npc is None else name_of(*npc)
        prompt_tokens = len(body["input_ids"])
        cached = prompt_tokens - 1 if handle in self.resident else 0
        meta: dict[str, Any] = {"prompt_tokens": prompt_tokens, "cached_tokens": cached}
        meta["cached_tokens_details"] = {"device": cached, "host": 0} if cached else None
        if handle is not None:
            self.resident[handle] = prompt_tokens
        words = list(WORDS)
        if "json_schema" in sampling:
            words = ['{"n"', ": 1", "}"]
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        if body.get("stream"):
            await stream.prepare(request)
        text = ""
        finish: dict[str, Any] | None = None
        for number, word in enumerate(words[: sampling["max_new_tokens"]], start=1):
            if body["rid"] not in self.aborted:
                await self._pause(number)
            text += word
            if body["rid"] in self.aborted:
                finish = {"type": "abort", "message": "Abort in waiting queue"}
            elif self.behaviour["abort_with"]:
                finish = {"type": "abort", **self.behaviour["abort_with"]}
            elif number == len(words):
                finish = {"type": "stop", "matched": 2}
            elif number == sampling["max_new_tokens"]:
                finish = {"type": "length", "length": number}
            meta |= {"finish_reason": finish, "completion_tokens": number}
            if body.get("stream"):
                await self._event(stream, {"text": text, "meta_info": meta})
            if finish is not None:
                break
        if not body.get("stream"):
            return web.json_response({"text": text, "meta_info": meta})
        await stream.write(b"data: [DONE]\n\n")
        return stream

    async def abort(self, request: web.Request) -> web.Response:
        self.aborted.append((await request.json())["rid"])
        self._tell_news()
        return web.Response()

    async def models(self, request: web.Request) -> web.Response:
        return web.json_response({"data": [{"id": "fake"}]})

    async def chat(self, request: web.Request) -> web.StreamResponse:
        body = await request.json()
        self.requests.append(body)
        if (status := self.behaviour["generate_status"]) != 200:
            headers = {"Retry-After": "7"}
            return web.json_response({"error": {"message": "no"}}, status=status, headers=headers)
        words = ['{"n"', ": 1", "}"] if "response_format" in body else list(WORDS)
        stream = web.StreamResponse(headers={"Content-Type": "text/event-stream"})
        await stream.prepare(request)
        self.running.add("chat")
        try:
            for number, word in enumerate(words[: body["max_tokens"]], start=1):
                await self._pause(number)
                delta = {"index": 0, "delta": {"content": word}, "finish_reason": None}
                await self._event(stream, {"choices": [delta]})
            cut = len(words) > body["max_tokens"]
            last = {"index": 0, "delta": {}, "finish_reason": "length" if cut else "stop"}
            await self._event(stream, {"choices": [last]})
            usage = {"prompt_tokens": 20, "completion_tokens": len(words)}
            await self._event(stream, {"choices": [], "usage": usage})
            await stream.write(b"data: [DONE]\n\n")
        finally:
            self.running.discard("chat")
        return stream

    async def _pause(self, number: int) -> None:
        """Think about the token of this number, until there is news."""
        first_s, token_s = self.behaviour["first_token_s"], self.behaviour["token_s"]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(first_s if number == 1 and first_s is not None else token_s):
                await self.news.wait()

    def _tell_news(self) -> None:
        self.news.set()
        self.news = asyncio.Event()

    async def _event(self, stream: web.StreamResponse, event: dict[str, Any]) -> None:
        await stream.write(b"data: " + orjson.dumps(event) + b"\n\n")

    # --- the plugin --------------------------------------------------------------------------

    async def distances(self, request: web.Request) -> web.Response:
        self._need_plugin()
        body = await request.read()
        self.distance_bytes += len(body)
        update = wire.decode_distances(body)
        if update.full:
            for name in [n for n in self.due_s if sender_of(n) == update.sender]:
                del self.due_s[name]
        for handle, distance_s in zip(
            update.handles.tolist(), update.distance_s.tolist(), strict=True
        ):
            name = name_of(update.sender, handle)
            if np.isnan(distance_s):
                self.due_s.pop(name, None)
            else:
                self.due_s[name] = update.now_s + distance_s
        return web.Response(status=204)

    async def npcs(self, request: web.Request) -> web.Response:
        self._need_plugin()
        sender, adapters = wire.decode_adapters(await request.read())
        self.adapters |= {name_of(sender, npc): name for npc, name in adapters.items()}
        return web.Response(status=204)

    async def load_adapter(self, request: web.Request) -> web.Response:
        self._need_plugin()
        body = await request.json()
        if body["path"] == self.behaviour["refused_folder"]:
            return web.json_response({"error": "adapter was not loaded: no such rank"}, status=400)
        self.weights[body["name"]] = body["path"]
        return web.Response(status=204)

    async def unload_adapter(self, request: web.Request) -> web.Response:
        self.weights.pop((await request.json())["lora_name"], None)
        return web.json_response({"success": True})

    async def residency(self, request: web.Request) -> web.Response:
        self._need_plugin()
        self.residency_looks += 1
        sender = int(request.query.get("sender", 0))
        mine = {
            int(str(name).partition("@")[0]): tokens
            for name, tokens in self.resident.items()
            if sender_of(name) == sender
        }
        handles = np.array(sorted(mine), np.uint32)
        tokens = np.array([mine[handle] for handle in handles.tolist()], np.uint32)
        state = wire.Residency(
            version=len(self.requests) + 1,
            bytes_per_token=100,
            handles=handles,
            tier=np.full(len(handles), DEVICE, np.uint8),
            device_tokens=tokens,
            host_tokens=np.zeros(len(handles), np.uint32),
            full=True,
        )
        return web.Response(body=wire.encode_residency(state))

    async def status(self, request: web.Request) -> web.Response:
        self._need_plugin()
        used = sum(self.resident.values())
        device = {"capacity_bytes": 400_000, "used_bytes": 100 * used}
        host = {"capacity_bytes": 800_000, "used_bytes": 0}
        pools = {"device": device, "host": host}
        return web.json_response(
            {
                "plugin_version": self.behaviour["plugin_version"],
                "wire_version": self.behaviour["wire_version"],
                "pools": pools,
            }
        )

    def _need_plugin(self) -> None:
        if not self.behaviour["plugin"]:
            raise web.HTTPNotFound


def name_of(sender: int, handle: int) -> int | str:
    """Name an NPC of one of several senders; of sender 0 by its handle alone."""
    return f"{handle}@{sender:x}" if sender else handle


def sender_of(name: int | str) -> int:
    """The sender of an NPC of that name."""
    return int(str(name).partition("@")[2] or "0", 16)


def order_of(name: int | str) -> tuple[int, int]:
    """Sort names by sender, then by handle."""
    return sender_of(name), int(str(name).partition("@")[0])


def log(line: str) -> None:
    sys.stderr.write(f"{line}\n")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--model-path", required=True)
    parser.add_argument("--api-key")
    parser.add_argument("--start-s", type=float, default=0.0)
    parser.add_argument("--fail-start", action="store_true")
    options, _ = parser.parse_known_args()
    log("server_args=ServerArgs(...)")
    if options.fail_start:
        sys.exit("RuntimeError: there is no memory for the KV pool")
    log("Load weight begin. avail mem=1 GB")
    fake = FakeSglang(options)

    async def make() -> web.Application:
        await asyncio.sleep(options.start_s)
        app = web.Application(middlewares=[fake.guard])
        app.add_routes(fake.routes())
        log("The server is fired up and ready to roll!")
        return app

    web.run_app(
        make(),
        host=options.host,
        port=options.port,
        print=None,
        shutdown_timeout=0.1,
        handler_cancellation=True,
    )


if __name__ == "__main__":
    main()
