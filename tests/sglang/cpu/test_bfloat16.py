from __future__ import annotations

from pathlib import Path

import pytest

from callsheet_sglang_cpu.bfloat16 import has_bfloat16


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("processor\t: 0\nflags\t\t: fpu avx2 fma\n", False),
        ("processor\t: 0\nflags\t\t: fpu avx512f avx512_bf16\n", True),
        ("processor\t: 0\nFeatures\t: fp asimd bf16\n", True),
        ("processor\t: 0\nFeatures\t: fp asimd\n", False),
        ("processor\t: 0\n", True),
    ],
)
def test_the_kernel_says_whether_a_cpu_has_bfloat16(
    text: str, expected: bool, tmp_path: Path
) -> None:
    (tmp_path / "cpuinfo").write_text(text, encoding="utf-8")
    assert has_bfloat16(tmp_path / "cpuinfo") is expected
    assert has_bfloat16(tmp_path / "absent") is True
