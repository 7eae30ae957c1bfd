"""The `[[notify]]` tables: every mistake is named at once."""

from typing import Any

import pytest
from pydantic import ValidationError

from bisector.formats.targets import NotifyTable
from bisector.settings import Settings

GOOD: list[dict[str, Any]] = [
    {"kind": "slack", "url_env": "URL"},
    {"kind": "webhook", "url_env": "URL", "secret_env": "SECRET", "allow_private": ["hooks.corp"]},
    {"kind": "github", "token_env": "TOKEN", "api": "https://github.corp/api/v3"},
    {"kind": "email", "smtp_host": "mail.example", "sender": "a@b.example", "to": ["c@d.example"]},
    {"kind": "file", "directory": "answers", "verdicts": ["not_reproduced"]},
]


@pytest.mark.parametrize("table", GOOD, ids=lambda table: table["kind"])
def test_every_kind_can_be_set_up(table: dict[str, Any]) -> None:
    made = NotifyTable(**table)
    assert made.called == table["kind"]
    assert set(made.variables) <= {"URL", "SECRET", "TOKEN"}


@pytest.mark.parametrize(
    ("table", "told"),
    [
        ({"kind": "slack"}, ["slack needs url_env"]),
        ({"kind": "slack", "url_env": "A", "to": ["a@b.c"]}, ["slack knows no to"]),
        ({"kind": "webhook"}, ["needs url_env", "needs secret_env"]),
        ({"kind": "file", "token_env": "T"}, ["needs directory", "knows no token_env"]),
        (
            {"kind": "email", "user": "u", "tls": "none"},
            ["smtp_host", "sender", "to", "belong together", "this machine"],
        ),
        ({"kind": "pigeon"}, ["kind"]),
        ({"kind": "email", "sender": "a@b\nBcc: c@d", "to": ["a b"]}, ["sender", "to"]),
        ({"kind": "slack", "url_env": "https://hooks.slack.example/secret"}, ["url_env"]),
        ({"kind": "slack", "url_env": "A", "verdicts": ["guilty"]}, ["verdicts"]),
        ({"kind": "slack", "url": "https://hooks.slack.example/secret"}, ["url"]),
    ],
)
def test_mistakes_are_named(table: dict[str, Any], told: list[str]) -> None:
    with pytest.raises(ValidationError) as caught:
        NotifyTable(**table)
    for part in told:
        assert part in str(caught.value)


def test_targets_hang_together_with_the_rest() -> None:
    with pytest.raises(ValidationError) as caught:
        Settings(notify=({**GOOD[0], "repositories": ["shop"]}, GOOD[0]))
    assert "more than one notify is called 'slack'" in str(caught.value)
    assert "notify 'slack' is for the repository 'shop', which is not there" in str(caught.value)
