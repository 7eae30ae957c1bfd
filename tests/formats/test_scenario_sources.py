"""Scenarios whose metrics go together with what is run: sizes, a service's own metrics, slopes."""

import pytest

from bisector.core.model.scenario import RunRecipe
from bisector.errors import ScenarioError
from bisector.formats.scenario import parse_scenario
from bisector.formats.scenario_services import service_table

SIZES = b'name = "s"\n[run]\ncommand = ["x", "{size}"]\nsizes = [1000, 2000, 4000, 8000]\n'
WEB = b'name = "s"\n[run]\ncommand = ["x", "{port}"]\n[run.service]\ncommand = ["y", "{port}"]\n'
TOLD = WEB + b'metrics = "http://127.0.0.1:{port}/metrics"\n'


def metric(**keys: str) -> bytes:
    return b'[[metrics]]\nname = "m"\n' + b"".join(f"{key} = '{value}'\n".encode() for key, value in keys.items())


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (SIZES.replace(b"[1000, 2000, 4000, 8000]", b"[1, 2, 4]"), "name at least 4 sizes"),
        (SIZES.replace(b"[1000, 2000, 4000, 8000]", b"[1000, 1100, 1200, 1300]"), "at least 4 times the smallest"),
        (SIZES.replace(b"[1000, 2000, 4000, 8000]", b"[4, 3, 2, 1]"), "that ascend"),
        (SIZES.replace(b"[1000, 2000, 4000, 8000]", b"[0, 1, 2, 4]"), "from 1 on"),
        (SIZES.replace(b"{size}", b"size"), "{size} stands nowhere"),
        (b'name = "s"\n[run]\ncommand = ["x"]\nsize_zero = true\n', "size_zero goes together with sizes"),
        (b'name = "s"\n[run]\ncommand = ["x"]\n' + metric(source="growth"), "growth wants sizes in [run]"),
        (SIZES + metric(source="growth", quantity="heat"), "known are wall, cpu, memory"),
        (SIZES + metric(source="growth", select="x"), "select is regex:PATTERN"),
        (SIZES + metric(source="at_size", select="3000"), "select one of the sizes: 1000, 2000"),
        (SIZES + metric(source="slope", quantity="x"), "no quantity"),
        (WEB + metric(source="prometheus", select="up"), "wants a service with a key metrics"),
        (TOLD + metric(source="prometheus", select="rate(up)"), "select a metric by its name"),
        (TOLD + metric(source="prometheus", select="up", quantity="x"), "known are delta, last, histogram"),
        (WEB + b'metrics = "https://example.org/metrics"\n', "is not like"),
        (SIZES + metric(source="count:("), "no such source"),
    ],
)
def test_a_mistake_is_named(text: bytes, told: str) -> None:
    with pytest.raises(ScenarioError) as error:
        parse_scenario(text, where="scenario.toml")
    assert told in str(error.value)


def test_a_services_metrics_are_a_port_and_a_path_and_read_back() -> None:
    found = parse_scenario(TOLD, where="here").run.services[0]
    assert found.metrics == ("{port}", "/metrics")
    assert service_table(found)["metrics"] == "http://127.0.0.1:{port}/metrics"


def test_runs_at_other_sizes_are_not_compared_and_those_without_any_stay_as_they_were() -> None:
    plain = RunRecipe(command=("x",))
    assert len({plain.identity(), *(RunRecipe(command=("x",), sizes=s).identity() for s in ((1, 4), (1, 5)))}) == 3
    zero = RunRecipe(command=("x",), sizes=(1, 4), size_zero=True)
    assert zero.identity() != RunRecipe(command=("x",), sizes=(1, 4)).identity()
