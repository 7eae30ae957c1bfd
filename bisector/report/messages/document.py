"""For programs: the news as a JSON object, version 1."""

from typing import Any

from bisector.report.messages.news import News
from bisector.report.phrase import plain

VERSION = 1


def news_document(news: News, repository: str) -> dict[str, Any]:
    """The object that is posted to webhooks. Unknown is null; `culprits` holds verified ones only."""
    return {
        "version": VERSION,
        "job": news.job,
        "repository": repository,
        "scenario": news.scenario,
        "metric": news.metric,
        "verdict": news.verdict.value if news.verdict is not None else None,
        "title": news.title,
        "sentence": plain(news.sentence),
        "change": news.change or None,
        "culprits": [
            {
                "commit": named.sha,
                "subject": named.subject,
                "author": named.author,
                "change": named.change or None,
                "links": {"commit": named.commit, "diff": named.diff, "pull_request": named.pull_request},
            }
            for named in news.named
        ],
        "more_culprits": news.more,
        "also": [plain(phrase) for phrase in news.also],
        "report": news.report or None,
        "reproduce": news.reproduce,
    }
