from __future__ import annotations

import pytest
import torch

from callsheet_sglang_cpu.replacements import copy_rows


@pytest.mark.parametrize("head_dim", [64, 3])
@pytest.mark.parametrize("contiguous", [True, False])
def test_named_rows_are_copied_and_no_others(head_dim: int, contiguous: bool) -> None:
    source = torch.randn(20, 2, head_dim).bfloat16()
    target = torch.zeros(30, 2, head_dim if contiguous else 2 * head_dim).bfloat16()
    target = target if contiguous else target[:, :, ::2]
    assert target.is_contiguous() == contiguous
    read, written = torch.tensor([3, 19, 0]), torch.tensor([29, 1, 7])
    copy_rows([source], [target], read, written, page_size=1)
    assert torch.equal(target[written], source[read])
    others = [row for row in range(30) if row not in written.tolist()]
    assert not target[others].any()
