"""What builds are told to lay out their code by."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.layouts import LAYOUTS, compiles_in_one_layout, layout_of
from bisector.core.model.scenario import BuildRecipe


def test_a_commits_first_build_stands_as_it_is() -> None:
    assert layout_of(0) == 0


@given(st.integers(0, 5000), st.integers(0, 5000))
def test_no_two_of_a_commits_builds_have_the_same(one: int, other: int) -> None:
    assert 0 <= layout_of(one) < LAYOUTS
    assert (layout_of(one) == layout_of(other)) == (one == other)


@given(st.integers(0, 200))
def test_of_the_next_seven_builds_each_start_in_a_cache_line_has_one(number: int) -> None:
    """Code is aligned to 16 bytes: four starts in a line of 64."""
    starts = {-(-(layout_of(each) % 4096) // 16) % 4 for each in range(number, number + 7)}
    assert starts == {0, 1, 2, 3}


@given(st.integers(0, 200), st.sampled_from([64, 4096, LAYOUTS]))
def test_they_are_spread_evenly_over_a_line_a_page_and_everything(number: int, size: int) -> None:
    found = sorted(layout_of(each) % size for each in range(number, number + 16))
    gaps = [(after - before) % size for before, after in zip(found, [*found[1:], found[0]], strict=True)]
    assert max(gaps) <= size / 5


@pytest.mark.parametrize(
    ("step", "asked"),
    [
        ("cc -O2 x.c", True),
        ("/usr/bin/gcc-12 -O2 a.c", True),
        ("make -s -C csrc", True),
        ("cd rust && CARGO_HOME=$PWD/.cargo cargo build -q", True),
        ("go test -c -o x .", True),
        ("python -m pip install .", False),
        ("cp {scenario}/count.go go/", False),
        ("echo make-up", False),
        ("cc -DLAYOUT={layout} x.c", False),
        ("make LAYOUT=$BISECTOR_LAYOUT", False),
    ],
)
def test_who_compiles_is_asked_where_the_code_lies(step: str, asked: bool) -> None:
    assert compiles_in_one_layout(BuildRecipe(steps=("true", step))) is asked


def test_a_variable_that_holds_the_layout_is_enough() -> None:
    assert not compiles_in_one_layout(BuildRecipe(steps=("make",), env={"CFLAGS": "-DLAYOUT={layout}"}))
