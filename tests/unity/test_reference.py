"""The page of the C# API: it is what the sources say, and tells what each thing is."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

from unity.test_public_api import PINNED
from unity.toolchain import PACKAGE

REFERENCE = runpy.run_path(str(PACKAGE / "Tools~" / "generate_reference.py"))
public_types = REFERENCE["public_types"]
TYPES = public_types()
NOT_LISTED = {"", "ctor", "ToString", "Type"}
"""Members that every type has, and overrides."""


def pinned() -> set[tuple[str, str]]:
    """Types and names of members; of a type itself the name is empty."""
    found = set()
    for line in PINNED.read_text("utf-8").splitlines():
        owner, _, member = re.sub(r" {.*}$", "", line).partition(": ")
        called = re.search(r"([\w.]+)(?:\[[\w,]+\])?(?:\(.*\))?$", member)
        name = called.group(1).rpartition(".")[2] if called else ""
        found.add((re.sub(r"`\d", "", owner).replace("+", "."), name))
    return found


def test_the_page_is_what_the_sources_say() -> None:
    assert REFERENCE["PAGE"].read_text("utf-8") == REFERENCE["write_page"](TYPES), (
        "run: python sdk_unity/Tools~/generate_reference.py"
    )


def test_every_pinned_type_stands_there_with_a_summary() -> None:
    assert {owner for owner, _ in pinned()} == TYPES.keys()
    assert [name for name, one in TYPES.items() if not one.summary] == []


def test_every_pinned_member_stands_there() -> None:
    for owner, name in sorted(pinned()):
        if name not in NOT_LISTED:
            assert name in {member.name for member in TYPES[owner].members}, f"{owner}.{name}"


def test_every_member_has_a_summary() -> None:
    for name, one in TYPES.items():
        assert [member.signature for member in one.members if not member.summary] == [], name


def test_a_type_in_parts_and_what_is_not_public_are_read(tmp_path: Path) -> None:
    (tmp_path / "A.cs").write_text(
        """namespace N
{
    public interface ITake
    {
        /// <summary>Takes two.</summary>
        int Take(int one, int two);
    }

    /// <summary>The first part, of <see cref="B"/>.</summary>
    public sealed partial class A : ITake
    {
        /// <summary>Adds.</summary>
        public int Add(int one) => one;

        /// <inheritdoc/>
        public int Take(
            int one, int two)
        {
            return one;
        }

        internal int Hidden() => 0;

        internal sealed class Inner
        {
            public int Field;
        }
    }
}
"""
    )
    (tmp_path / "A.More.cs").write_text(
        """namespace N
{
    public sealed partial class A
    {
        [Tooltip("How many.")]
        public int count = 3;
    }
}
"""
    )
    one = public_types(tmp_path)["N.A"]
    assert one.summary == "The first part, of `B`."
    assert {(m.signature, m.summary) for m in one.members} == {
        ("int Add(int one)", "Adds."),
        ("int Take(int one, int two)", "Takes two."),
        ("int count", "How many."),
    }
