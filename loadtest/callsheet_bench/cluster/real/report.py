"""Counts of the days that were played, as Markdown, with the target."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from callsheet_bench.cluster.real.run import OURS, Played, Skipped

__all__ = ["lines", "missed"]

NOISE = 0.01
"""Differences up to this part of the prompts, or of the replies, count as none."""


def lines(found: Sequence[Played | Skipped]) -> Iterator[str]:
    """The table, best first."""
    played = [one for one in found if isinstance(one, Played)]
    yield (
        "| who sends the calls | plugin | computed prompt tokens per reply | with those computed "
        "ahead | device hits | prompt tokens on the busier replica |"
    )
    yield "|---|---|---|---|---|---|"
    for one in sorted(played, key=lambda one: one.computed_tokens):
        yield (
            f"| {one.contender} | {'yes' if one.plugin else 'no'} "
            f"| {one.computed_tokens / one.replies:.0f} "
            f"| {one.all_computed_tokens / one.replies:.0f} "
            f"| {one.device_hits / one.replies:.3f} | {one.busier:.2f} |"
        )
    yield ""
    if played:
        mean = played[0].prompt_tokens / played[0].replies
        yield f"{played[0].replies} replies, {mean:.0f} prompt tokens each; the same calls for all."
    yield "Counts alone: both replicas share two cores, so no speed-up can be seen here."
    for skipped in found:
        if isinstance(skipped, Skipped):
            yield f"Skipped: {skipped.contender}: {skipped.why}"


def missed(found: Sequence[Played | Skipped]) -> list[str]:
    """Targets that were missed: ours is best or equal in both counts."""
    played = [one for one in found if isinstance(one, Played)]
    (ours,) = (one for one in played if one.contender == OURS)
    missed = []
    for one in played:
        name = f"{one.contender} {'with' if one.plugin else 'without'} the plugin"
        if one.computed_tokens < ours.computed_tokens - NOISE * ours.prompt_tokens:
            missed.append(f"{name} computes less: {one.computed_tokens} tokens")
        if one.device_hits > ours.device_hits + NOISE * ours.replies:
            missed.append(f"{name} has more device hits: {one.device_hits}")
    return missed
