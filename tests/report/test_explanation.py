"""From captures to suspects in the result: on a simulated job, through what is kept, to the files that are written."""

import json
from collections.abc import Iterator
from dataclasses import replace

import pytest
from jsonschema import Draft202012Validator

from bisector.adapters.in_memory.world import World
from bisector.core.model.history import main
from bisector.core.model.investigation import Investigation
from bisector.core.model.profiles import CaptureKind
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
    measured = [s.usage.cpu for s in done.samples if s.usage is not None and s.counts and s.place in {main(7), main(8)}]
    assert prime["self_delta"] == pytest.approx(0.3 / 1.3 * max(measured), rel=0.1)
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


def test_what_a_loaded_machine_stretches_is_scaled_to_the_measured_runs(job: Job) -> None:
    done, files = job
    stretched = dict(files)
    for capture in done.captures:
        if capture.kind is CaptureKind.SAMPLED and capture.place == main(7):
            document = json.loads(files[capture.files[0]])
            for part in document["profiles"]:
                part["weights"] = [weight * 5 for weight in part["weights"]]
            stretched[capture.files[0]] = json.dumps(document).encode()
    assert stretched != files
    for kept in (files, stretched):
        (found,) = explanations_of(done, kept)
        assert found.difference is not None
        assert found.difference.total.before == pytest.approx(1.0, rel=0.1)
        assert found.suspects[0].function.frame.name == "parse"
