from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callsheet_sglang_cpu.emulated_link import BYTES_PER_S, CopyEvent, Timeline, activate
from callsheet_sglang_cpu.replacements import CPU_ENGINE


def test_transfers_follow_each_other() -> None:
    line = Timeline(bytes_per_s=100.0)
    assert line.send(50, now_s=10.0) == 10.5
    assert line.send(100, now_s=10.1) == 11.5  # waits for the first
    assert line.send(100, now_s=20.0) == 21.0  # the link was idle


@given(
    st.lists(
        st.tuples(st.floats(0.0, 1e9), st.floats(0.0, 10.0)).map(lambda pair: pair), max_size=30
    ),
    st.floats(1.0, 1e9),
)
def test_the_link_never_carries_more_than_its_bandwidth(
    transfers: list[tuple[float, float]], bytes_per_s: float
) -> None:
    line, now_s, sent, begun_s = Timeline(bytes_per_s), 0.0, 0.0, None
    for size, pause_s in transfers:
        now_s += pause_s
        begun_s = now_s if begun_s is None else begun_s
        before_s = line.end_s
        sent += size
        end_s = line.send(size, now_s)
        assert end_s >= max(now_s, before_s)
        assert end_s - begun_s >= sent / bytes_per_s * (1 - 1e-9) - 1e-6


def test_without_a_limit_nothing_is_delayed() -> None:
    line = Timeline(float("inf"))
    assert line.send(1e12, now_s=3.0) == 3.0


@pytest.mark.parametrize("bytes_per_s", [0.0, -1.0, float("nan")])
def test_a_link_without_bandwidth_is_refused(bytes_per_s: float) -> None:
    with pytest.raises(ValueError, match="above 0"):
        Timeline(bytes_per_s)


def test_an_event_is_reached_at_its_moment() -> None:
    now = [5.0]
    start, end = CopyEvent(lambda: now[0], 4.0), CopyEvent(lambda: now[0], 5.5)
    assert start.query()
    assert not end.query()
    assert start.elapsed_time(end) == 1500.0
    now[0] = 5.5
    assert end.query()
    end.synchronize()


def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(BYTES_PER_S, raising=False)
    activate()  # imports no sglang, which is not there


def test_a_bad_bandwidth_ends_the_process_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(CPU_ENGINE, "1")
    monkeypatch.setenv(BYTES_PER_S, "fast")
    with pytest.raises(SystemExit, match=f"{BYTES_PER_S}=fast"):
        activate()


def test_a_gpu_has_a_link_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CPU_ENGINE, raising=False)
    monkeypatch.setenv(BYTES_PER_S, "1e9")
    with pytest.raises(SystemExit, match="for CPU only"):
        activate()
