"""What is kept of fuzzing, and a small honest sample of it: the same inputs each time, real ones with damage done."""

import random
from collections.abc import Iterator

import pytest

from tests.fuzz.targets import TARGETS, kept

SEED = 20261127
DAMAGED = 300
"""Inputs of each target that are made of the others."""
LONGEST = 4096
LONG_PIECES = (b"9" * 400, b"[" * 200, b'{"":' * 100, b"a" * 1000)
PIECES = (
    *LONG_PIECES,
    *(b"", b"\0", b"\xff", b"\xed\xa0\x80", b"\x1b", b"\n", b"'", b'"', b"\\", b";", b"%", b"\xe2\x80\xae"),
    *(b"-1", b"1e999", b"NaN", b"null", b"true", b"0x", b"../"),
)


def damaged(inputs: list[bytes], dice: random.Random) -> Iterator[bytes]:
    """Inputs cut, joined, or with a piece of something else in them."""
    for _ in range(DAMAGED):
        one, other = dice.choice(inputs)[:LONGEST], dice.choice(inputs)[:LONGEST]
        start, end = sorted(dice.randrange(len(one) + 1) for _ in range(2))
        middle = dice.choice(
            [dice.choice(PIECES), other[: dice.randrange(len(other) + 1)], bytes([dice.randrange(256)])]
        )
        yield one[:1] + one[1:start] + middle + one[dice.choice([start, end]) :]


@pytest.mark.parametrize("name", TARGETS)
def test_what_was_found_before_and_what_is_damaged_is_refused_in_words(name: str) -> None:
    target = TARGETS[name]
    inputs = [*target.seed_inputs(), *(path.read_bytes() for path in kept(name))]
    assert inputs, "there is something to begin with"
    for content in inputs:
        target(content)
    for content in damaged(inputs, random.Random(f"{SEED} {name}")):
        target(content)
