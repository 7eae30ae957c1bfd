"""The state that runs find, in scenario files."""

from dataclasses import replace

import pytest

from bisector.core.model.scenario import Scenario
from bisector.core.model.state import DataSet
from bisector.errors import ScenarioError
from bisector.formats.bundle import scenario_table
from bisector.formats.scenario import parse_scenario, scenario_from
from tests.report.worlds import MERGE, finished

SHA = "0" * 64
RUN = """
[run]
command = ["load", "{data.words}", "{state}", "{seed}"]
setup = ["createdb {state}/db"]
prepare = ["restore {data.words-2} {state}/db"]
prepare_seconds = 5
seed = 7
"""
DATA = f"""
[[data]]
name = "words"
url = "https://example.org/a/words.txt.gz?part=1"
sha256 = "{SHA}"
[[data]]
name = "words-2"
path = "words/"
sha256 = "{SHA}"
"""


def parsed(text: str) -> Scenario:
    return parse_scenario(f'name = "x"\n{text}'.encode(), where="here")


def test_all_of_it_is_read() -> None:
    run = parsed(RUN + DATA).run
    assert (run.setup, run.prepare) == (("createdb {state}/db",), ("restore {data.words-2} {state}/db",))
    assert (run.setup_seconds, run.prepare_seconds, run.seed) == (600.0, 5.0, 7)
    assert [(each.file, each.variable) for each in run.data] == [
        ("words.txt.gz", "BISECTOR_DATA_WORDS"),
        ("words", "BISECTOR_DATA_WORDS_2"),
    ]


def test_a_file_has_a_plain_name_whatever_its_address() -> None:
    addresses = (
        "https://example.org",
        "https://example.org/%2e%2e",
        "https://example.org/x/.ssh",
        "https://e.org/a b$c",
    )
    names = [DataSet(name="a", sha256=SHA, url=address).file for address in addresses]
    assert names == ["example.org", "2e2e", "ssh", "abc"]


def test_runs_with_another_state_are_not_compared() -> None:
    plain = parsed('[run]\ncommand = ["load"]\n').run
    others = [
        replace(plain, setup=("a",)),
        replace(plain, prepare=("a",)),
        replace(plain, seed=0),
        replace(plain, data=(DataSet(name="a", sha256=SHA, url="https://one"),)),
    ]
    assert len({run.identity() for run in (plain, *others)}) == 5
    moved = replace(plain, data=(DataSet(name="a", sha256=SHA, path="/elsewhere"),))
    assert moved.identity() == others[-1].identity()


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (RUN, "{data.words}: no data set is called 'words'; there are: none"),
        ('[run]\ncommand = ["ls", "{state}"]', "{state}: nothing is kept there without setup or prepare"),
        ('[run]\ncommand = ["ls", "{seed}"]', "{seed}: the run has no seed"),
        ('[run]\ncommand = ["ls"]\nsetup = "make"', "run.setup: Input should be a valid list"),
        (RUN + DATA + DATA, "two data sets are called 'words'"),
        (RUN + DATA.replace("https:", "http:"), "String should match pattern"),
        (RUN + DATA.replace("https://", "https://me:secret@"), "String should match pattern"),
        (RUN + DATA.replace('path = "words/"', ""), "data set words-2: name either url or path"),
        (RUN + DATA.replace(SHA, "abc"), "sha256: String should match pattern"),
    ],
)
def test_a_mistake_is_told(text: str, told: str) -> None:
    with pytest.raises(ScenarioError) as raised:
        parsed(text)
    assert told in str(raised.value)


def test_a_bundle_holds_it() -> None:
    scenario = parsed(RUN + DATA)
    request = replace(finished(MERGE).request, scenario=scenario)
    assert scenario_from(scenario_table(request, scenario.metrics[0]), where="the bundle").run == scenario.run
