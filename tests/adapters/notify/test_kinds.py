"""Each kind of target, against a receiver that behaves as its API is documented."""

import json
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes
from email.policy import default
from pathlib import Path

import pytest

from bisector.adapters.clock import SystemClock
from bisector.adapters.notify.file import FileNotifier
from bisector.adapters.notify.github import GitHubApi, GitHubNotifier
from bisector.adapters.notify.mail import MailNotifier, MailServer
from bisector.adapters.notify.slack import SlackNotifier
from bisector.adapters.notify.web import Exceptions, Web
from bisector.adapters.notify.webhook import WebhookNotifier
from bisector.engine.notify import NotSent, Telling
from bisector.formats.alerts.signature import Scheme, verified
from bisector.report.messages.github import marker
from tests.helpers.receiver import Receiver
from tests.helpers.told import GitHub, Sink, mail_server

WEB = Web(Exceptions(), patience=2.0, deadline=4.0)


def test_slack(receiver: Receiver, telling: Telling) -> None:
    SlackNotifier(WEB, receiver.url + "/services/a").send(telling)
    (received,) = receiver.received
    assert received.json["blocks"][0]["text"]["text"] == telling.news.title
    assert "commit" in received.json["blocks"][2]["text"]["text"]


def test_a_webhook_can_be_verified_and_is_known_again(receiver: Receiver, telling: Telling) -> None:
    notifier = WebhookNotifier(WEB, receiver.url, "the secret", SystemClock())
    notifier.send(telling)
    notifier.send(telling)
    first, again = receiver.received
    now = SystemClock().now().timestamp()
    assert verified(Scheme.BISECTOR, ["the secret"], first.headers, first.body, now)
    assert not verified(Scheme.BISECTOR, ["another"], first.headers, first.body, now)
    assert first.headers["x-bisector-delivery"] == again.headers["x-bisector-delivery"] == telling.delivery
    assert first.body == again.body
    assert first.json["culprits"][0]["commit"] == telling.news.named[0].sha
    assert first.json["report"] == "https://bisector.example/jobs/1"


def test_files_are_whole_and_written_again(tmp_path: Path, telling: Telling) -> None:
    notifier = FileNotifier(tmp_path / "answers")
    notifier.send(telling)
    notifier.send(telling)
    job = telling.news.job
    names = sorted(path.name for path in (tmp_path / "answers").iterdir())
    assert names == [f"job-{job}.json", f"job-{job}.md"]
    assert json.loads((tmp_path / "answers" / names[0]).read_text())["verdict"] == "culprit"


def test_a_directory_that_cannot_be_written(tmp_path: Path, telling: Telling) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotSent, match="cannot be written"):
        FileNotifier(tmp_path / "file").send(telling)


@pytest.fixture
def github(receiver: Receiver) -> GitHub:
    made = GitHub(pulls=[7])
    receiver.answer = made
    return made


def notifier_of(receiver: Receiver) -> GitHubNotifier:
    return GitHubNotifier(GitHubApi(WEB, receiver.url + "/", "the token"))


PULL = "/repos/shop/app/issues/7/comments"


@pytest.mark.parametrize("login", ["bisector-bot", ""], ids=["a person's token", "an app's"])
def test_one_comment_that_is_edited_in_place(receiver: Receiver, github: GitHub, telling: Telling, login: str) -> None:
    github.login = login
    for number in range(130):
        # As long as reports are: a page of comments is far longer than what other receivers answer.
        github.add(PULL, f"talk {number}" + "." * (60_000 if number < 4 else 0), "somebody")
    notifier_of(receiver).send(telling)
    notifier_of(receiver).send(telling)
    ours = [comment for comment in github.comments[PULL] if comment["body"].startswith(marker(telling.subject))]
    assert [comment["edits"] for comment in ours] == [1]
    assert telling.news.named[0].short in ours[0]["body"]
    assert {sha for sha, _ in github.statuses} == {telling.report.bad}
    assert github.statuses[0][1]["state"] == "failure"


def test_without_a_pull_request_the_commit_is_commented(receiver: Receiver, github: GitHub, telling: Telling) -> None:
    github.pulls = []
    notifier_of(receiver).send(telling)
    notifier_of(receiver).send(telling)
    ((path, comments),) = github.comments.items()
    assert path == f"/repos/shop/app/commits/{telling.news.named[0].sha}/comments"
    assert [comment["edits"] for comment in comments] == [1]


def test_a_stranger_s_comment_with_our_marker_is_left_alone(
    receiver: Receiver, github: GitHub, telling: Telling
) -> None:
    planted = github.add(PULL, marker(telling.subject) + "\nnonsense", "mallory")
    notifier_of(receiver).send(telling)
    assert planted["body"].endswith("nonsense")
    assert len(github.comments[PULL]) == 2


def test_what_failed_half_way_is_done_again(receiver: Receiver, github: GitHub, telling: Telling) -> None:
    github.fails = {telling.report.bad}
    with pytest.raises(NotSent, match="502"):
        notifier_of(receiver).send(telling)
    github.fails = set()
    notifier_of(receiver).send(telling)
    assert [comment["edits"] for comment in github.comments[PULL]] == [1]
    assert len(github.statuses) == 1


def test_nobody_is_named_who_is_not_verified(receiver: Receiver, github: GitHub, telling: Telling) -> None:
    unsure = replace(telling, news=replace(telling.news, named=()))
    notifier_of(receiver).send(unsure)
    assert github.comments == {}
    assert len(github.statuses) == 1


@pytest.fixture
def sink() -> Iterator[Sink]:
    with mail_server() as made:
        yield made


def mailer(sink: Sink, tls: str = "none") -> MailNotifier:
    server = MailServer(host="127.0.0.1", port=sink.port, tls=tls)
    return MailNotifier(server, "bisector@shop.example", ("a@shop.example", "b@shop.example"), SystemClock())


def test_a_letter(sink: Sink, telling: Telling) -> None:
    mailer(sink).send(telling)
    letter = message_from_bytes(sink.letters[0], policy=default)
    assert letter["subject"] == f"[bisector] {telling.news.title}"
    assert letter["message-id"] == f"<{telling.delivery}@shop.example>"
    assert [line for line in sink.said if line.lower().startswith("rcpt")] == [
        "rcpt TO:<a@shop.example>",
        "rcpt TO:<b@shop.example>",
    ]
    assert telling.news.named[0].short in sink.letters[0].decode()


@pytest.mark.parametrize("verb", ["MAIL", "DATA", "RCPT"])
def test_a_mail_server_that_refuses(sink: Sink, telling: Telling, verb: str) -> None:
    sink.refuses = verb
    with pytest.raises(NotSent) as caught:
        mailer(sink).send(telling)
    assert not caught.value.unsure
    assert "secret" not in caught.value.reason


@pytest.mark.parametrize("tls", ["starttls", "implicit"])
def test_no_letter_leaves_in_the_clear(sink: Sink, telling: Telling, tls: str) -> None:
    with pytest.raises(NotSent, match="cannot be used"):
        mailer(sink, tls).send(telling)
    assert sink.letters == []
