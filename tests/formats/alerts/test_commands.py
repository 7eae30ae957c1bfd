"""Commands in comments."""

import pytest

from bisector.formats.alerts.commands import Bisect, CommandProblem, Compare, read_command


@pytest.mark.parametrize(
    ("comment", "command"),
    [
        ("@bisector compare", Compare(scenario=None)),
        ("  @Bisector compare parse-big\n\nplease", Compare(scenario="parse-big")),
        ("@bisector bisect v1.0..main parse-big", Bisect(good="v1.0", bad="main", scenario="parse-big")),
        ("thanks @bisector compare", None),
        ("looks good\n@bisector compare", None),
        ("", None),
    ],
)
def test_the_first_line_says_it(comment: str, command: object) -> None:
    assert read_command(comment) == command


@pytest.mark.parametrize(
    "comment",
    [
        "@bisector",
        "@bisector help",
        "@bisector compare a b",
        "@bisector compare ../x",
        "@bisector bisect v1 main s",
        "@bisector bisect v1...main s",
        "@bisector bisect --upload-pack=x..main s",
        "@bisector bisect v1..-x s",
        "@bisector bisect a..b s --image evil",
    ],
)
def test_what_is_not_understood_is_answered(comment: str) -> None:
    with pytest.raises(CommandProblem, match="I understand"):
        read_command(comment)
