"""The session core of the SDK: no sockets, no clock, no threads.

Frames and time go in; frames and events come out. The asyncio and the blocking client are
adapters around it, and hold no protocol logic of their own.

| module | what |
|---|---|
| `session.py` | the state machine: hello, resume, heartbeat, reconnect |
| `requests.py` | open requests and replies |
| `calls.py` | what each client method sends and waits for |
| `ticks.py` | full state in, keyframe or delta out |
| `events.py` | events and who listens to them |
| `clock.py` | the offset between the client's and the server's clock |
"""
