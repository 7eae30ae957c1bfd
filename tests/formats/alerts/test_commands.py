"""Commands in comments."""

import pytest

from bisector.formats.alerts import AlertProblem, Ignored
from bisector.formats.alerts.commands import Bisect, CommandProblem, Compare, read_command
from bisector.formats.alerts.comments import Comment, read_comment
from tests.helpers.github import issue_comment


@pytest.mark.parametrize(
    ("line", "command"),
    [
        ("@bisector compare", Compare(scenario=None)),
        ("@Bisector  compare parse-big", Compare(scenario="parse-big")),
        ("@bisector bisect v1.0..main parse-big", Bisect(good="v1.0", bad="main", scenario="parse-big")),
        ("@bisector bisect 1f0c2ab..HEAD s", Bisect(good="1f0c2ab", bad="HEAD", scenario="s")),
    ],
)
def test_a_command(line: str, command: object) -> None:
    assert read_command(line) == command


@pytest.mark.parametrize(
    "line",
    [
        "@bisector",
        "@bisector help",
        "@bisector compare a b",
        "@bisector compare ../x",
        "@bisector bisect v1 main s",
        "@bisector bisect v1...main s",
        "@bisector bisect --upload-pack=x..main s",
        "@bisector bisect v1..-x s",
        "@bisector bisect v1..main@{1} s",
        "@bisector bisect a..b s --image evil",
    ],
)
def test_what_is_not_understood(line: str) -> None:
    with pytest.raises(CommandProblem):
        read_command(line)


def test_what_of_an_event_matters() -> None:
    body = issue_comment("  @perf-bot compare level\r\nplease", comment=12, issue=3, user=7)
    assert read_comment(body, "perf-bot") == Comment(
        repository="octo/shop",
        issue=3,
        pull_request=True,
        comment=12,
        login="alice",
        user=7,
        written=1795777200.0,
        line="@perf-bot compare level",
    )
    assert not read_comment(issue_comment("@b compare", pull=False), "b").pull_request


@pytest.mark.parametrize(
    "body",
    [
        issue_comment("@bisector compare", action="edited"),
        issue_comment("@bisector compare", action="deleted"),
        issue_comment("thanks @bisector compare"),
        issue_comment("looks good\n@bisector compare"),
        issue_comment("> @bisector compare"),
        issue_comment("@bisector-bot compare"),
        issue_comment("@bisectorcompare"),
        issue_comment(""),
        issue_comment("@bisector compare", type="Bot"),
        issue_comment("@bisector compare", login="evil/../x"),
    ],
)
def test_what_does_not_speak_to_us(body: bytes) -> None:
    with pytest.raises(Ignored):
        read_comment(body, "bisector")


@pytest.mark.parametrize("body", [b"{}", b"[]", b'{"action": "created"}', issue_comment("@bisector x", written="now")])
def test_what_is_no_event_of_github(body: bytes) -> None:
    with pytest.raises(AlertProblem):
        read_comment(body, "bisector")
