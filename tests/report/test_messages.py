"""Messages: what they say, their limits, and that strangers' text can do nothing in them."""

import json
from dataclasses import replace
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.verdict import VerdictKind
from bisector.report.document import Report
from bisector.report.markdown import phrase_text
from bisector.report.messages.also import Also
from bisector.report.messages.document import news_document
from bisector.report.messages.github import (
    LONGEST_COMMENT,
    LONGEST_DESCRIPTION,
    github_comment,
    github_status,
    marker,
)
from bisector.report.messages.letter import letter_of
from bisector.report.messages.links import Forge, Links
from bisector.report.messages.news import HEADLINES, news_of
from bisector.report.messages.slack import LONGEST_SECTION, slack_message
from bisector.report.phrase import Phrase, plain
from tests.report import worlds
from tests.report.worlds import report

KINDS = worlds.by_verdict()
LINKS = Links(
    report="https://bisector.example/jobs/1/report", forge=Forge.of("github", "https://github.example/a/b.git")
)
TEXT = st.text(alphabet="<>&|`*_@!#[]() abc:/.", max_size=30)


def hostile(base: Report, subject: str) -> Report:
    """`base` with a culprit whose subject and author are `subject`."""
    first = base.culprits[0]
    commit = replace(first.commit, subject=subject, author=subject)
    return replace(base, culprits=(replace(first, commit=commit, inner=None, verified=True),))


@cache
def named() -> Report:
    """The report of a job that named one commit for certain."""
    return next(
        found
        for kind in KINDS
        if (found := report(KINDS[kind])).culprits and found.culprits[0].verified and len(found.culprits[0].set) == 1
    )


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_of_answer_can_be_told(kind: str) -> None:
    told = report(KINDS[kind])
    news = news_of(told, LINKS)
    message = slack_message(news)
    assert json.loads(json.dumps(message, allow_nan=False)) == message
    assert plain(told.sentence)[:60] in message["text"]
    letter = letter_of(news)
    assert "\n" not in letter.subject
    assert plain(told.sentence) in letter.text
    assert LINKS.report in letter.text
    status = github_status(news)
    assert status["state"] in {"error", "failure", "pending", "success"}
    assert len(status["description"]) <= LONGEST_DESCRIPTION
    assert github_comment(told, news, "job/1").startswith("<!-- bisector:job/1 -->\n**")


def test_every_verdict_has_a_headline() -> None:
    assert set(HEADLINES) == set(VerdictKind)


def test_nobody_is_named_who_was_not_verified() -> None:
    told = named()
    subject = told.culprits[0].commit.subject
    assert news_of(told, LINKS).named
    unsure = replace(told, culprits=(replace(told.culprits[0], verified=False),))
    assert news_of(unsure, LINKS).named == ()
    both = replace(told.culprits[0], set=(told.culprits[0].commit.sha, told.culprits[0].parent.sha))
    assert news_of(replace(told, culprits=(both,)), LINKS).named == ()
    bare = replace(unsure, sentence=told.sentence.__class__("One of two."))
    assert subject not in json.dumps(slack_message(news_of(bare, LINKS)))


def test_links_lead_to_the_forge() -> None:
    first = replace(named().culprits[0].commit, subject="Merge pull request #12 from a/topic")
    culprit = replace(named().culprits[0], commit=first, inner=None)
    news = news_of(replace(named(), culprits=(culprit,)), LINKS)
    (one,) = news.named
    assert one.commit == f"https://github.example/a/b/commit/{one.sha}"
    assert one.diff == f"https://github.example/a/b/compare/{culprit.parent.sha}...{culprit.commit.sha}"
    assert one.pull_request == "https://github.example/a/b/pull/12"
    assert LINKS.pull_request("parser: quicker (#7)") == "https://github.example/a/b/pull/7"
    assert LINKS.pull_request("see #7") == ""
    assert Links().commit("1" * 40) == ""


@pytest.mark.parametrize(
    ("kind", "web"),
    [("github", "http://x/a"), ("github", "https://x/{sha}"), ("elsewhere", "https://x/a"), ("gitlab", "")],
)
def test_a_forge_is_an_https_address_of_a_known_kind(kind: str, web: str) -> None:
    with pytest.raises(ValueError, match=r"no such forge|https address"):
        Forge.of(kind, web)


@given(TEXT)
def test_strangers_text_does_nothing_in_slack(subject: str) -> None:
    message = slack_message(news_of(hostile(named(), subject), Links()))
    for block in message["blocks"]:
        if block["type"] == "section":
            text = block["text"]["text"]
            assert "<" not in text, "a mention or a link needs one, and none of ours is here"
            outside = "".join(text.split("`")[::2])
            assert "@" not in outside


def test_messages_keep_within_their_limits() -> None:
    long = hostile(named(), "x" * 5000)
    many = replace(long, culprits=long.culprits * 30)
    news = news_of(many, LINKS)
    message = slack_message(news)
    assert len(message["blocks"]) <= 50
    assert len(json.dumps(message)) < 13_000 * 2
    assert all(len(block["text"]["text"]) <= LONGEST_SECTION for block in message["blocks"] if "text" in block)
    assert any(f"and {news.more} more" in json.dumps(block) for block in message["blocks"])
    comment = github_comment(replace(many, reproduce="y" * LONGEST_COMMENT), news, "a")
    assert len(comment.encode()) <= LONGEST_COMMENT
    assert comment.count("```") % 2 == 0
    assert "did not fit" in comment
    assert LINKS.report in comment


@pytest.mark.parametrize("key", ["", "a b", "-->", "a--b", "<x>"])
def test_a_marker_cannot_be_broken_out_of(key: str) -> None:
    with pytest.raises(ValueError, match="not a key"):
        marker(key)


@given(TEXT)
def test_alerts_that_joined_are_told_everywhere_and_their_words_do_nothing(source: str) -> None:
    answered = Also(
        asked_by=f"x{source}", metric="p95", good="a" * 40, bad="b" * 40, said=Phrase(""), answered=True, own=""
    )
    own = replace(answered, answered=False, own="14")
    news = news_of(named(), LINKS, [answered, own])
    assert [plain(each).rsplit(": ", 1)[1] for each in news.also] == [
        "this answers it.",
        "this does not answer it, job 14 is to.",
    ]
    said = plain(news.also[1])
    assert said in letter_of(news).text
    assert said in news_document(news, "shop")["also"]
    sections = [block["text"]["text"] for block in slack_message(news)["blocks"] if block["type"] == "section"]
    assert any("asked about `p95` from `aaaaaaaaaa` to `bbbbbbbbbb`: this answers it." in text for text in sections)
    comment = github_comment(named(), news, "key")
    assert "\n- " + phrase_text(news.also[0]) + "\n- " + phrase_text(news.also[1]) + "\n" in comment


def test_a_job_that_nobody_joined_says_nothing_of_that() -> None:
    news = news_of(named(), LINKS)
    assert news.also == ()
    assert "asked about" not in letter_of(news).text + github_comment(named(), news, "key")
