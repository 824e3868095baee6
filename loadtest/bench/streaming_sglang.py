"""A SGLang without a model: every running reply gets a token each so many milliseconds.

As SGLang's scheduler does, one step gives all of them their next token; each is an event of its own
with all text so far, which is SGLang's default. Without our plugin.
"""

from __future__ import annotations

import argparse
import asyncio
import re

import orjson

INFO = {
    "version": "0.5.23",
    "device": "cuda",
    "context_length": None,
    "max_req_input_len": 100_000,
    "max_total_num_tokens": 1_000_000,
    "page_size": 1,
    "enable_hierarchical_cache": False,
    "hicache_ratio": 2.0,
    "enable_priority_scheduling": True,
    "schedule_low_priority_values_first": True,
    "incremental_streaming_output": False,
}
CONTENT_LENGTH = re.compile(rb"content-length: *(\d+)", re.IGNORECASE)


def words(reply: int, count: int) -> list[str]:
    """Return the tokens of a reply; no sentence stands twice in it, or in another one."""
    told: list[str] = []
    while len(told) < count:
        told += f"Night {reply} had its turn {len(told)} once.".split()
        told += f"The boats came home late with tide {len(told)} of night {reply}.".split()
    told = told[:count]
    return [told[0], *(f" {word}" for word in told[1:])]


class Reply:
    """One reply and how far it is."""

    def __init__(self, transport: asyncio.Transport, number: int, tokens: int) -> None:
        self._transport = transport
        self._words = words(number, tokens)
        self._text = ""
        self._told = 0

    def step(self) -> bool:
        """Send the next token; False = that was the last one."""
        if self._transport.is_closing():
            return False
        self._text += self._words[self._told]
        self._told += 1
        is_last = self._told == len(self._words)
        event = {
            "text": self._text,
            "meta_info": {
                "id": "callsheet-0123abcd-000000000001",
                "finish_reason": {"type": "stop", "matched": 2} if is_last else None,
                "prompt_tokens": 900,
                "weight_version": "default",
                "total_retractions": 0,
                "completion_tokens": self._told,
                "cached_tokens": 880,
                "cached_tokens_details": None,
                "dp_rank": None,
            },
        }
        data = b"data: " + orjson.dumps(event) + b"\n\n"
        if is_last:
            data += b"data: [DONE]\n\n"
        self._transport.write(b"%x\r\n%b\r\n" % (len(data), data) + b"0\r\n\r\n" * is_last)
        return not is_last


class Sglang(asyncio.Protocol):
    """One connection to the fake."""

    replies: list[Reply]
    begun = 0
    tokens = 0
    model = ""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self._transport, self._read = transport, b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        head, found, body = self._read.partition(b"\r\n\r\n")
        length = CONTENT_LENGTH.search(head)
        if not found or (length is not None and len(body) < int(length[1])):
            return
        self._read = b""
        self._answer(head.split(b" ", 2)[1].decode(), body)

    def _answer(self, path: str, body: bytes) -> None:
        match path.partition("?")[0]:
            case "/generate" if b'"stream":true' in body:
                self._transport.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
                    b"Transfer-Encoding: chunked\r\n\r\n"
                )
                Sglang.begun += 1
                self.replies.append(Reply(self._transport, Sglang.begun, self.tokens))
            case "/server_info":
                self._send(200, INFO)
            case "/model_info":
                self._send(200, {"served_model_name": "fake", "tokenizer_path": self.model})
            case "/health" | "/generate" | "/abort_request":
                self._send(200, {"text": "", "meta_info": {}})
            case _:
                self._send(404, {"detail": "Not Found"})

    def _send(self, status: int, body: object) -> None:
        data = orjson.dumps(body)
        self._transport.write(
            b"HTTP/1.1 %d -\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%b"
            % (status, len(data), data)
        )


async def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--tokens", type=int, required=True, help="of each reply")
    parser.add_argument("--tokens-per-s", type=float, required=True, help="of each reply")
    parser.add_argument("--model", required=True, help="folder with the tokenizer")
    args = parser.parse_args()
    Sglang.replies, Sglang.tokens, Sglang.model = [], args.tokens, args.model
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Sglang, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    due_s = loop.time()
    while True:
        due_s = max(due_s + 1 / args.tokens_per_s, loop.time() - 0.1)
        await asyncio.sleep(due_s - loop.time())
        Sglang.replies[:] = [reply for reply in Sglang.replies if reply.step()]


if __name__ == "__main__":
    asyncio.run(main())
