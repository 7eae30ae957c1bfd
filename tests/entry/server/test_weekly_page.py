"""The server's page of a week."""

from datetime import UTC, datetime

import pytest

from bisector.core.watch.moves import Accepted, AcceptedBy, Looked, Searched
from bisector.core.watch.nights import Night
from bisector.core.watch.week import DAY
from bisector.wiring.service import series_log
from tests.entry.server.conftest import Serve, World
from tests.helpers.lines import name
from tests.report.weeks import change

SWEEP = {"name": "nightly", "repository": "shop", "scenarios": ["level"], "cron": "0 2 * * *"}
SERIES = "shop/main/level/seconds@default"
BEGIN = datetime(2026, 3, 1, 2, tzinfo=UTC).timestamp()


def written(world: World, job: str) -> None:
    """Twenty nights, and a regression on the eighteenth that was confirmed two nights later."""
    log = series_log(world.wiring)
    assert log.append(SERIES, 0, Accepted(commit=name(1), time=BEGIN, by=AcceptedBy.START))
    for number in range(1, 21):
        level = 1.3 if number >= 18 else 1.0
        night = Night(
            time=BEGIN + number * DAY, tip=name(number + 1), values=(level,) * 3, reference=(1.0, 1.0, 1.0), host="h"
        )
        assert log.append(SERIES, number, night)
    end = BEGIN + 20 * DAY
    assert log.append(SERIES, 21, Looked(good=name(18), bad=name(21), time=end + 60, change=change(0.3)))
    assert log.append(SERIES, 22, Searched(good=name(18), bad=name(21), time=end + 90, job=job, worse=True))


def test_a_week_is_shown_and_others_can_be_gone_to(serve: Serve) -> None:
    world = serve(sweeps=[SWEEP], server={"public_url": "https://bisector.example"})
    empty = world.client.get("/weekly").text
    assert "no regression is open" in empty
    assert 'aria-current="page">Week' in empty
    job = world.client.post("/v1/jobs", json=world.order()).json()["id"]
    written(world, job)
    page = world.client.get("/weekly?until=2026-03-22")
    assert page.status_code == 200
    assert "1 regression open; of 1 series 1 worse and 0 better" in page.text
    assert f'<a href="/jobs/{job}">job {job}</a>' in page.text
    assert "its search has not ended" in page.text
    assert "Since 2026-03-19, 4 days" in page.text
    assert 'href="/weekly?until=2026-03-15"' in page.text
    assert 'href="/weekly?until=2026-03-29"' in page.text
    before = world.client.get("/weekly?until=2026-03-15").text
    assert "no regression is open; of 1 series none moved" in before
    markdown = world.client.get("/weekly.md?until=2026-03-22")
    assert markdown.headers["content-type"].startswith("text/markdown")
    assert f"[job `{job}`](https://bisector.example/jobs/{job})" in markdown.text


@pytest.mark.parametrize("until", ["yesterday", "2026-13-01", "9999-12-31", "0001-01-01", "<script>"])
def test_a_day_that_is_none_is_said_to_be_none(serve: Serve, until: str) -> None:
    answer = serve().client.get("/weekly", params={"until": until}, headers={"accept": "text/html"})
    assert answer.status_code in {200, 422}
    assert "<script>" not in answer.text.replace('<script src="/static/live.js" defer></script>', "")


def test_a_scenario_that_cannot_be_read_leaves_the_others(serve: Serve) -> None:
    broken = {**SWEEP, "name": "other", "scenarios": ["gone"]}
    page = serve(sweeps=[SWEEP, broken]).client.get("/weekly").text
    assert SERIES in page
    assert "incomplete" in page


def test_the_week_needs_the_token(serve: Serve) -> None:
    world = serve(server={"token_env": ["SERVER_TOKEN"]})
    assert world.client.get("/weekly").status_code == 401
    assert world.client.get("/weekly.md").status_code == 401
