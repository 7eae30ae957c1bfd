"""A receiver, and an answer to tell it."""

from collections.abc import Iterator

import pytest

from bisector.engine.notify import Telling, subject_of
from bisector.report.messages.links import Forge, Links
from bisector.report.messages.news import news_of
from tests.helpers.receiver import Receiver, receiving
from tests.report.worlds import MERGE, finished, report

WEB = "https://github.example/shop/app"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Answers 200 until it is told otherwise."""
    with receiving() as made:
        yield made


@pytest.fixture(scope="session")
def telling() -> Telling:
    """A verified culprit."""
    told = report(finished(MERGE))
    links = Links(report="https://bisector.example/jobs/1", forge=Forge.of("github", WEB))
    news = news_of(told, links)
    assert news.named
    return Telling(report=told, news=news, subject=subject_of(told), delivery="d" * 32, forge="github", web=WEB)
