"""The session core of the SDK: no sockets, no clock, no threads.

Frames and time go in; frames and events come out. ``drivers/`` moves it, with asyncio or with
threads; ``client/`` and ``blocking/`` are its surface. None of them holds protocol logic.

| module | what |
|---|---|
| `session.py` | the state machine: hello, resume, heartbeat, draining, the end |
| `reconnect.py` | what follows a close code, and when to try again |
| `heartbeat.py` | pings, and a server that is silent for too long |
| `incoming.py`, `outgoing.py` | acks owed; messages unsent, requests open |
| `requests.py` | one open request, one open reply |
| `calls.py` | what each client method sends and waits for |
| `memories.py` | calls about saves and forgetting |
| `adapters.py` | calls about LoRA adapters |
| `batches.py` | calls that name many: in parts, and who was refused |
| `world_state.py` | a game's arrays, checked and put together |
| `ticks.py` | full state in, keyframe or delta out |
| `game_clock.py` | game time for a game that has no clock of its own |
| `events.py` | events and who listens to them |
| `clock.py` | the offset between the client's and the server's clock |
"""
