"""A session against random clients, losses and resumes: nothing is lost, doubled or reordered."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from session.links import RecordedLink
from session.test_connection import HELLO, registry
from session.test_session import request, tick

from callsheet.wire import Ack, Error, Ok, Pong, Resume, encode
from callsheet.wire.tick import TickKind
from callsheet_server.session.session import Session, SessionState

FRAMES = st.one_of(
    st.binary(max_size=40),
    st.text(max_size=40),
    st.sampled_from(
        [
            "{}",
            '{"type":"say","id":1}',
            '{"type":"ping","client_time_s":1}',
            '{"type":"register_script","id":1000000,"script":"s"}',
            '{"type":"ack","seq":9000000}',
        ]
    ),
)


class SessionMachine(RuleBasedStateMachine):
    """The client acks at random, loses its connection at random, and comes back."""

    session: Session
    link: RecordedLink

    @initialize()
    def open(self) -> None:
        self.now_s = 0.0
        self.sessions = registry(resume_grace_s=86_400, heartbeat_interval_s=300)
        self.link = RecordedLink()
        self.session = self.sessions.open(HELLO, self.link, self.now_s)
        self.token = self.session.resume_token
        """The newest that reached the client."""
        self.welcomed = True
        """Whether the welcome of the present connection did."""
        self.begun_after = 0
        """The seq the connection was resumed after."""
        self.read = 0
        """Frames of this connection that the client has read."""
        self.handled: list[int] = []
        """The seq of every reliable message the client has handled, over all connections."""
        self.last_id = 0
        self.last_tick = 0
        self.had_keyframe = False

    def is_open(self) -> bool:
        return self.session.state is SessionState.OPEN

    def may_send(self) -> bool:
        return self.is_open() and self.welcomed

    @rule(frame=FRAMES, step_s=st.floats(0, 2))
    @precondition(may_send)
    def receive_anything(self, frame: str | bytes, step_s: float) -> None:
        self.now_s += step_s
        self.session.receive(frame, self.now_s)
        self.last_id = max(self.last_id, self.session.last_request_id)

    @rule(step=st.integers(-3, 3))
    @precondition(may_send)
    def receive_request(self, step: int) -> None:
        number = max(1, self.last_id + step)
        self.now_s += 0.1
        found = self.session.receive(request(number), self.now_s)
        assert (found is not None) == (number > self.last_id)
        self.last_id = max(number, self.last_id)
        assert self.session.last_request_id == self.last_id

    @rule(step=st.integers(-2, 2), kind=st.sampled_from(TickKind))
    @precondition(may_send)
    def receive_tick(self, step: int, kind: TickKind) -> None:
        number = max(0, self.last_tick + step)
        self.now_s += 0.1
        found = self.session.receive(tick(number, kind=kind), self.now_s)
        if found is not None:
            assert number > self.last_tick or self.last_tick == 0
            assert self.had_keyframe or kind is TickKind.KEYFRAME
            self.last_tick, self.had_keyframe = number, True

    @rule(count=st.integers(1, 5))
    def send(self, count: int) -> None:
        for _ in range(count):
            self.session.send(Ok(id=1))

    @rule()
    def send_unreliable(self) -> None:
        self.session.send(Pong(client_time_s=0.0, server_time_s=0.0), key="pong")

    @rule(share=st.floats(0, 1))
    @precondition(lambda self: self.welcomed)
    def read_some(self, share: float) -> None:
        seqs = self.link.seqs
        until = self.read + round(share * (len(seqs) - self.read))
        self.handled += [seq for seq in seqs[self.read : until] if seq > self.last_handled]
        self.read = until

    @rule(back=st.integers(0, 3))
    @precondition(may_send)
    def ack(self, back: int) -> None:
        self.now_s += 0.1
        seq = max(0, self.last_handled - back)
        self.session.receive(encode(Ack(seq=seq)).decode(), self.now_s)

    @rule(code=st.sampled_from([1001, 1005, 1006]))
    @precondition(is_open)
    def lose(self, code: int) -> None:
        self.session.detach(self.link, code, self.now_s)

    @rule(welcome_arrives=st.booleans())
    @precondition(lambda self: self.session.state is not SessionState.CLOSED)
    def resume(self, welcome_arrives: bool) -> None:
        """Also while the old connection is open: it is taken over. The welcome may be lost."""
        old, was_open, self.link = self.link, self.is_open(), RecordedLink()
        resume = Resume(session=self.session.id, token=self.token, last_seq=self.last_handled)
        hello = HELLO.model_copy(update={"resume": resume})
        assert self.sessions.open(hello, self.link, self.now_s) is self.session
        self.welcomed = welcome_arrives
        if welcome_arrives:
            self.token = self.session.resume_token
        assert (old.closed == (4007, "superseded")) == was_open
        self.read, self.had_keyframe = 0, False
        self.begun_after = self.last_handled

    @property
    def last_handled(self) -> int:
        return self.handled[-1] if self.handled else 0

    @invariant()
    def what_a_connection_carries_has_no_gaps(self) -> None:
        seqs = self.link.seqs
        assert seqs == list(range(self.begun_after + 1, self.begun_after + 1 + len(seqs)))

    @invariant()
    def what_was_handled_has_no_gaps_over_all_connections(self) -> None:
        assert self.handled == list(range(1, len(self.handled) + 1))

    @invariant()
    def an_open_session_has_sent_everything(self) -> None:
        if self.is_open() and self.link.seqs:
            assert self.link.seqs[-1] == self.session._replay.last_seq

    @invariant()
    def the_session_is_whole(self) -> None:
        self.session.check_integrity()
        if self.link.closed is not None:
            assert isinstance(self.link.messages[-1], Error)
            assert not self.is_open()


SessionMachine.TestCase.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
TestSession = SessionMachine.TestCase
