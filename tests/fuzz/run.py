"""Fuzz a decoder or the session machine, led by the coverage of our code.

    python tests/fuzz/run.py session --inputs 1000000
    python tests/fuzz/run.py session crash-0123abcd      # once more what went wrong

Needs atheris (``pip install atheris``, Linux). An input that goes wrong is left in the current
folder, and the exit status is not 0.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
from pathlib import Path

import atheris

ROOT = Path(__file__).parents[2]
sys.path[:0] = [str(ROOT / folder) for folder in ("sdk_python", "server", "tests")]

with atheris.instrument_imports(include=["callsheet", "callsheet_server"]):
    from fuzz.mutate import mutate, seeds, words
    from fuzz.targets import TARGETS

MAX_INPUT_BYTES = 8_192
SLOW_S = 60
"""One input that takes longer, on a busy machine too, is a finding."""


def main() -> None:
    """Run until the inputs are through, or one goes wrong; does not return."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("target", choices=sorted(TARGETS))
    parser.add_argument("input", nargs="?", type=Path, help="a file to try once")
    parser.add_argument("--inputs", type=int, default=100_000, help="how many to try")
    parser.add_argument("--seed", type=int, default=1, help="the same seed tries the same inputs")
    options = parser.parse_args()
    if options.input is not None:
        TARGETS[options.target](options.input.read_bytes())
        return
    folder = Path(tempfile.mkdtemp(prefix="callsheet-fuzz-"))
    corpus = folder / "corpus"
    corpus.mkdir()
    found = seeds(options.target)
    # A short run begins with some of the seeds, or it would try nothing else.
    for number, seed in enumerate(found[:: max(1, 2 * len(found) // options.inputs)]):
        (corpus / str(number)).write_bytes(seed)
    dictionary = folder / "words"
    dictionary.write_text("".join(f'"{word}"\n' for word in words()))

    def change(data: bytes, max_bytes: int, seed: int) -> bytes:
        changed = mutate(
            options.target, data, random.Random(seed), lambda part: atheris.Mutate(part, max_bytes)
        )
        return changed[:max_bytes]

    atheris.Setup(
        [
            sys.argv[0],
            f"-runs={options.inputs}",
            f"-seed={options.seed}",
            f"-max_len={MAX_INPUT_BYTES}",
            f"-timeout={SLOW_S}",
            "-rss_limit_mb=0",  # it would count the memory of whoever started this process
            f"-dict={dictionary}",
            str(corpus),
        ],
        TARGETS[options.target],
        custom_mutator=change,
    )
    atheris.Fuzz()


if __name__ == "__main__":
    main()
