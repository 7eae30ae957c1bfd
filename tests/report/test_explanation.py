"""From captures to suspects in the result: on a simulated job, through what is kept, to the files that are written."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from bisector.adapters.in_memory.world import World
from bisector.core.model.investigation import Investigation
from bisector.core.model.request import JobKind, Search
from bisector.core.model.scenario import RunRecipe
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.gathering import Reading
from bisector.report.compose import JobFacts, report_of
from bisector.report.explanation import Files, explanations_of, wanted_files
from bisector.report.json_export import result_of, result_schema
from bisector.report.phrase import plain
from bisector.report.profile_files import profile_files
from tests.helpers.simulated import Simulation

PLANTED = World(candidates=12, culprit=8, effect=0.3, noise=0.01, seed=3)
Job = tuple[Investigation, Files]


@pytest.fixture(scope="module")
def simulation() -> Iterator[Simulation]:
    made = Simulation(PLANTED)
    yield made
    made.close()


def worked(simulation: Simulation, **more: object) -> Job:
    request = simulation.request(search=Search(descend=False))
    python = replace(request.scenario, run=RunRecipe(command=("python", "app.py")))
    done = simulation.run(replace(request, profile=True, scenario=python, **more))  # type: ignore[arg-type]
    return done, {name: simulation.artifacts.kept(name).read_bytes() for name in wanted_files(done)}


@pytest.fixture(scope="module")
def job(simulation: Simulation) -> Job:
    return worked(simulation)


def test_the_result_lists_the_suspects_as_its_schema_says(job: Job) -> None:
    done, files = job
    result = result_of(report_of(done, JobFacts(state="done", files=files)))
    Draft202012Validator(result_schema()).validate(result)
    (prime,) = result["culprits"][0]["suspects"]
    assert (prime["function"], prime["file"], prime["line"], prime["touched"]) == ("parse", "app.py", 1, True)
    assert prime["self_delta"] == pytest.approx(900 * 0.3 / 200, rel=0.01)
    json.dumps(result, allow_nan=False)


def test_the_sentence_ends_with_the_prime_suspect(job: Job) -> None:
    done, files = job
    sentence = plain(report_of(done, JobFacts(state="done", files=files)).sentence)
    assert sentence.endswith("of the extra time is in parse in app.py, which this merge changed.")


def test_without_profiles_the_report_is_the_same_but_for_the_suspects(job: Job) -> None:
    done, _ = job
    result = result_of(report_of(done, JobFacts(state="done")))
    Draft202012Validator(result_schema()).validate(result)
    assert result["culprits"][0]["suspects"] == []
    assert "extra time" not in result["sentence"]


def test_files_that_are_gone_or_damaged_are_a_statement(job: Job) -> None:
    done, files = job
    for broken in ({}, dict.fromkeys(files, b"{"), dict.fromkeys(files, b"")):
        (found,) = explanations_of(done, broken)
        assert found.difference is None
        assert found.problems


def test_an_improvement_is_not_called_extra_time(simulation: Simulation) -> None:
    other = Simulation(replace(PLANTED, effect=-0.3))
    try:
        request = other.request(kind=JobKind.COMPARE)
        done = other.run(replace(request, profile=True))
        files = {name: other.artifacts.kept(name).read_bytes() for name in wanted_files(done)}
        assert "extra time" not in report_of(done, JobFacts(state="done", files=files)).sentence
    finally:
        other.close()


def test_a_comparison_names_the_suspect_of_b(simulation: Simulation) -> None:
    done, files = worked(simulation, kind=JobKind.COMPARE)
    sentence = plain(report_of(done, JobFacts(state="done", files=files)).sentence)
    assert sentence.endswith("of the extra time is in parse in app.py, which B changed.")


def test_profiles_are_written_for_other_viewers(job: Job) -> None:
    done, files = job
    written = {file.name: file for file in profile_files(explanations_of(done, files))}
    sides = [f"{side}.{kind}" for side in ("before", "after") for kind in ("speedscope.json", "folded.txt")]
    assert set(written) == {*sides, "difference.html", "difference.svg"}
    kinds = result_schema()["properties"]["artifacts"]["items"]["properties"]["kind"]["enum"]
    assert {file.kind for file in written.values()} <= set(kinds)
    for name in sides:
        capture = read_profile(written[name].text.encode(), Reading())
        assert {frame.name for frame in capture.frames} == {"main", "parse", "render"}
