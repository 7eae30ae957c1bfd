"""Alerts of other systems as they send them, and of senders that mean no good."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.trigger import Trigger
from bisector.formats.alerts import SOURCES, AlertProblem, Defaults, read_alert

DATA = Path(__file__).parent.parent / "data" / "alerts"
GOOD, BAD = "1" * 40, "2" * 40


def read(
    source: str, document: object, *, headers: dict[str, str] | None = None, **defaults: str
) -> tuple[Trigger, ...]:
    body = document if isinstance(document, bytes) else json.dumps(document).encode()
    return read_alert(source, headers or {}, body, Defaults(source=source, **defaults)).triggers


def ignored(source: str, document: object, headers: dict[str, str] | None = None) -> str:
    body = json.dumps(document).encode()
    return read_alert(source, headers or {}, body, Defaults(source=source, repository="r", scenario="s")).ignored


def test_what_an_alertmanager_sent() -> None:
    (found,) = read("alertmanager", (DATA / "alertmanager-0.25.json").read_bytes())
    assert (found.repository, found.scenario, found.good, found.bad) == ("parser", "parse-big", "1" * 7, BAD)
    assert found.key.startswith("6049ff7c6181d633@2026-11-26T23:35:47")
    assert found.time == pytest.approx(1795736147.035, abs=0.01)
    assert found.link == "http://prometheus.example/graph?g0.expr=p95"


def test_an_alert_that_is_over_asks_for_nothing() -> None:
    document = json.loads((DATA / "alertmanager-0.25.json").read_bytes())
    document["alerts"][0]["status"] = "resolved"
    assert "firing" in ignored("alertmanager", document)


def test_grafana_sends_the_same_and_more() -> None:
    alert = {
        "status": "firing",
        "labels": {"alertname": "p95", "bisector_scenario": "checkout"},
        "annotations": {"bisector_metric": "p95"},
        "startsAt": "2026-11-26T10:00:00+02:00",
        "fingerprint": "c6eadffa33fcdf37",
        "values": {"B": 1.2, "C": 1},
        "silenceURL": "http://grafana.example/alerting/silence/new",
        "dashboardURL": "",
    }
    document = {"receiver": "bisector", "status": "firing", "orgId": 1, "alerts": [alert], "version": "1", "title": "x"}
    (found,) = read("grafana", document, repository="shop")
    assert (found.repository, found.scenario, found.metric) == ("shop", "checkout", "p95")
    assert (found.good, found.bad) == (None, None)
    assert found.time == 1795680000.0


def test_our_own_shape() -> None:
    document = {
        "repository": "parser",
        "scenario": "big",
        "good": GOOD,
        "bad": BAD,
        "dedup_key": "a",
        "link": "http://x",
    }
    (found,) = read("generic", document)
    assert found == Trigger(
        source="generic", repository="parser", scenario="big", good=GOOD, bad=BAD, key="a", link="http://x"
    )
    assert found.question() == read("deploy", {**document, "dedup_key": "b"})[0].question()
    assert found.question() != read("generic", {**document, "metric": "p95"})[0].question()


def test_a_push_to_the_default_branch_and_no_other() -> None:
    push: dict[str, Any] = {
        "ref": "refs/heads/main",
        "before": GOOD,
        "after": BAD,
        "compare": "https://github.example/a/b/compare/1...2",
        "repository": {"full_name": "a/b", "default_branch": "main"},
        "pusher": {"name": "somebody"},
    }
    headers = {"x-github-event": "push", "x-github-delivery": "72d3162e"}
    (found,) = read("github", push, headers=headers, scenario="s")
    assert (found.repository, found.good, found.bad, found.key) == ("a/b", GOOD, BAD, "72d3162e")
    (new,) = read("github", {**push, "before": "0" * 40}, headers=headers, scenario="s")
    assert new.good is None
    assert "default branch" in ignored("github", {**push, "ref": "refs/heads/topic"}, headers)
    assert "default branch" in ignored("github", {**push, "deleted": True}, headers)
    assert "issues" in ignored("github", push, {"x-github-event": "issues"})
    with pytest.raises(AlertProblem, match="X-GitHub-Event"):
        read("github", push)


def test_a_deployment_that_came_out_well() -> None:
    document: dict[str, Any] = {
        "deployment_status": {"state": "success", "created_at": "2026-11-26T08:00:00Z", "target_url": "https://x"},
        "deployment": {"sha": BAD, "payload": {"previous_sha": GOOD}},
        "repository": {"full_name": "a/b"},
    }
    headers = {"x-github-event": "deployment_status", "x-github-delivery": "9"}
    (found,) = read("github", document, headers=headers, scenario="s")
    assert (found.good, found.bad, found.time) == (GOOD, BAD, 1795680000.0)
    document["deployment_status"]["state"] = "failure"
    assert "failure" in ignored("github", document, headers)


def test_horreum_names_the_test_and_the_variable() -> None:
    change = {
        "id": 7,
        "variable": {"id": 3, "testId": 1, "name": "throughput"},
        "dataset": {"id": 9},
        "timestamp": 1795680000000,
    }
    (found,) = read("horreum", {"change": change, "testId": 1, "testName": "load", "notify": True}, repository="r")
    assert (found.scenario, found.metric, found.key, found.time) == ("load", "throughput", "change/7", 1795680000.0)
    assert "notification" in ignored("horreum", {"change": change, "testName": "load", "notify": False})


def test_what_otava_wrote() -> None:
    (path,) = DATA.glob("otava-*.json")
    (found,) = read("otava", path.read_bytes(), repository="parser")
    assert (found.scenario, found.metric, found.bad) == ("parse-big", "seconds", f"{28:040x}")
    assert found.good is None
    assert "no change point" in ignored("otava", {"parse-big": []})


@pytest.mark.parametrize(
    ("document", "problem"),
    [
        ({"scenario": "s"}, "names no repository"),
        ({"repository": "r"}, "names no scenario"),
        ({"repository": "r", "scenario": "s", "good": GOOD}, "no bad one"),
        ({"repository": "r", "scenario": "s", "bad": "--upload-pack=x"}, "bad is not a commit"),
        ({"repository": "../etc", "scenario": "s"}, "repository is not a name"),
        ({"repository": "r", "scenario": "s;rm"}, "scenario is not a name"),
        ({"repository": "r", "scenario": "s", "image": "evil"}, "image"),
        ({"repository": "r", "scenario": "s", "version": 2}, "version"),
        ({"repository": "r", "scenario": "s", "occurred_at": "yesterday"}, "not a time"),
        ({"repository": "r", "scenario": "s", "occurred_at": "2026-11-26T08:00:00"}, "zone"),
        (b"{", "not JSON"),
        (b'{"scenario": "a", "scenario": "b"}', "twice"),
        (b'{"scenario": NaN}', "NaN"),
        (b"[" * 5000, "nested"),
        (b"\xff", "UTF-8"),
        (b"[]", "the body"),
    ],
)
def test_what_cannot_be_used_is_told(document: object, problem: str) -> None:
    with pytest.raises(AlertProblem, match=problem):
        read("generic", document)


def test_too_many_alerts_and_no_such_source() -> None:
    with pytest.raises(AlertProblem, match="at most 100"):
        read("alertmanager", {"alerts": [{}] * 101}, repository="r", scenario="s")
    with pytest.raises(AlertProblem, match="no such source"):
        read("elsewhere", {})


_json = st.recursive(
    st.none() | st.booleans() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
    max_leaves=12,
)


@given(st.sampled_from(sorted(SOURCES)), _json, st.sampled_from(["", "push", "deployment_status"]))
def test_only_our_own_problem_escapes(source: str, document: object, event: str) -> None:
    try:
        found = read(source, document, headers={"x-github-event": event}, repository="r", scenario="s")
    except AlertProblem:
        return
    assert all(isinstance(one, Trigger) for one in found)
