from __future__ import annotations

import pytest

from callsheet_sglang.targets import Target, UnsupportedSglangError, check

NOTHING: tuple[Target, ...] = ()


@pytest.mark.parametrize("version", ["0.5.23", "0.5.23.post1", "0.5.23+cu129"])
def test_supported_versions_pass(version: str) -> None:
    check(NOTHING, version)


@pytest.mark.parametrize(
    "version", ["0.5.22", "0.5.24", "0.6.0", "1.0", "0.5.9", "0.0.0.dev0", "x"]
)
def test_other_versions_are_refused_by_name(version: str) -> None:
    with pytest.raises(UnsupportedSglangError) as refusal:
        check(NOTHING, version)
    text = str(refusal.value)
    assert f"SGLang {version}:" in text
    assert "supports 0.5.23 and later, before 0.5.24" in text
    assert "pip install 'sglang>=0.5.23,<0.5.24'" in text
    assert "unset CALLSHEET_SGLANG" in text
    assert "\n" not in text


@pytest.mark.parametrize(
    ("target", "fault"),
    [
        (Target("collections.no_such_name"), "collections.no_such_name is missing"),
        (Target("no_such_module.thing"), "no_such_module.thing is missing"),
        (
            Target("heapq.heappush", ("heap", "key")),
            r"heapq.heappush takes \(heap, item\), not \(heap, key\)",
        ),
        (
            Target("collections.OrderedDict.move_to_end", ("last", "key")),
            r"move_to_end takes \(key, last\), not \(last, key\)",
        ),
    ],
)
def test_a_target_that_is_not_as_expected_is_named(target: Target, fault: str) -> None:
    with pytest.raises(UnsupportedSglangError, match=fault):
        check((target,), "0.5.23")


def test_a_target_may_have_more_parameters_than_we_use() -> None:
    check(
        (Target("collections.OrderedDict.move_to_end", ("key",)), Target("heapq.heappop")), "0.5.23"
    )
