from __future__ import annotations

import pytest
import torch

from callsheet_sglang_cpu.attention import CPU_ATTENTION, activate, attend


@pytest.mark.parametrize("cached", [1, 7, 29])
@pytest.mark.parametrize("heads", [3, 9])
def test_new_tokens_attend_as_they_would_in_a_whole_prompt(cached: int, heads: int) -> None:
    generator = torch.Generator().manual_seed(cached)
    query = torch.randn(30, heads, 16, generator=generator)
    keys, values = (torch.randn(30, 3, 16, generator=generator) for _ in range(2))
    whole = attend(query, keys, values, 0, None, enable_gqa=True)
    rest = attend(query[cached:], keys, values, cached, None, enable_gqa=True)
    torch.testing.assert_close(rest, whole[cached:])


def test_it_is_off_unless_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(CPU_ATTENTION, raising=False)
    activate()  # imports no sglang, which is not there
