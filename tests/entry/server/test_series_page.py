"""The scenarios' page: what is known of the series of sweeps."""

from bisector.core.watch.moves import Accepted, AcceptedBy, Searched
from bisector.core.watch.nights import Night
from bisector.wiring.service import series_log
from tests.entry.server.conftest import Serve
from tests.helpers.lines import name

SWEEP = {"name": "nightly", "repository": "shop", "scenarios": ["level"], "cron": "0 2 * * *"}
SERIES = "shop/main/level/seconds@default"


def test_a_series_is_shown_with_its_nights_its_level_and_what_is_open(serve: Serve) -> None:
    world = serve(sweeps=[SWEEP])
    before = world.client.get("/scenarios/level").text
    assert "shop, branch main, hosts of class default" in before
    assert "not begun" in before
    log = series_log(world.wiring)
    assert log.append(SERIES, 0, Accepted(commit=name(1), time=0.0, by=AcceptedBy.PERSON, note="<b>as it is</b>"))
    for number in range(1, 6):
        night = Night(time=86400.0 * number, tip=name(number + 1), values=(1.1, 1.2, 1.3), reference=(1.0, 1.0, 1.0))
        assert log.append(SERIES, number, night)
    searched = Searched(good=name(1), bad=name(6), time=86400.0 * 5, job="17", worse=True)
    assert log.append(SERIES, 6, searched)
    assert "1 open regression" in world.client.get("/scenarios").text
    page = world.client.get("/scenarios/level").text
    assert '<svg xmlns="http://www.w3.org/2000/svg" class="plot"' in page
    assert page.count('class="run new"') >= 5
    assert "regression: job 17" in page
    assert f"bisector sweep accept {SERIES}" in page
    assert 'href="/jobs/17"' in page
    assert "<b>as it is</b>" not in page


def test_a_sweep_of_a_scenario_that_is_not_there_takes_nothing_else_away(serve: Serve) -> None:
    world = serve(sweeps=[{**SWEEP, "name": "broken", "scenarios": ["gone"]}, SWEEP])
    page = world.client.get("/scenarios").text
    assert "sweep broken" in page
    assert "gone" in page
    assert "1 series" in page
    assert "shop, branch main" in world.client.get("/scenarios/level").text
    assert world.client.get("/scenarios/gone").status_code == 404
