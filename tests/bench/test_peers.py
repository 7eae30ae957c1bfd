"""Side by side on a small history: what is counted is what ran, and answers are judged by the known commit."""

import json
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.peers.cases import Case
from benchmarks.peers.play import Played, play, verdict_of
from benchmarks.peers.table import BEGIN, END, write
from benchmarks.peers.tools import TOOLS, Answer, of_asv, of_git_bayesect, of_git_bisect
from benchmarks.peers.workshop import open_workshop
from tests.helpers.repositories import Sandbox

BENCH = """\
import json, time, spent
while time.process_time() < spent.SECONDS:
    pass
print(json.dumps({"cpu_seconds": time.process_time()}))
"""
CULPRIT, BROKEN = 4, 2


def history(place: Path) -> tuple[Sandbox, list[str]]:
    """Seven commits of a package: one costs more from there on, one cannot be imported."""
    made = Sandbox.make(place)
    shas = []
    for number in range(7):
        level = "SECONDS = 0.09" if number >= CULPRIT else "SECONDS = 0.03"
        text = "SECONDS = (" if number == BROKEN else level
        shas.append(str(made.commit(f"Change {number}", {"spent/__init__.py": f"{text}\n", "number": f"{number}\n"})))
    return made, shas


def case_of(place: Path) -> Case:
    """That history as a case; its clone is a directory beside the benchmark."""
    _, shas = history(place / "spent")
    (place / "bench.py").write_text(BENCH)
    return Case(
        name="spent",
        clone="spent",
        good=shas[0],
        bad=shas[-1],
        culprits=(shas[CULPRIT][:10],),
        bench=place / "bench.py",
        package="spent",
        step="threefold",
        history="one commit cannot be imported",
    )


def played_by(recipe: str, case: Case, place: Path, limit_seconds: float = 60.0) -> Played:
    """That case by the tool of a recipe, with few runs."""
    tool = next(each for each in TOOLS if each.recipe == recipe)
    few = replace(tool, settings=dict.fromkeys(tool.settings, "2"))
    return play(case, few, open_workshop(place / "work", [case], peers=False), place, limit_seconds)


@pytest.mark.slow
@pytest.mark.skipif(shutil.which("hyperfine") is None, reason="needs hyperfine (tests/environment/up.sh tools)")
def test_git_bisect_finds_the_commit_and_each_run_is_counted(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    played = played_by("git-bisect", case, tmp_path)
    assert (played.verdict, played.candidates) == ("right", 6)
    assert played.builds in {2 + 2, 2 + 3, 2 + 4}
    assert 2 * (played.builds - 1) < played.runs <= 2 * played.builds


@pytest.mark.slow
def test_bisector_finds_the_commit_and_its_count_is_not_what_it_says_itself(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    played = played_by("bisector", case, tmp_path)
    assert played.verdict == "right"
    cost = json.loads((tmp_path / "work/spaces/spent/bisector/result.json").read_text())["cost"]
    assert played.runs >= cost["runs"] > 0
    assert played.builds >= cost["builds"] > 0


def test_a_tool_that_passes_the_time_is_ended_and_told(tmp_path: Path) -> None:
    played = played_by("bisector", case_of(tmp_path), tmp_path, limit_seconds=0.2)
    assert (played.verdict, played.commits) == ("not in time", ())


@pytest.mark.parametrize(
    ("commits", "verdict"),
    [(("abcd12",), "right"), (("ff", "abcd"), "one of 2"), (("ff",), "wrong"), ((), "no answer")],
)
def test_answers_are_judged_by_the_known_commit(tmp_path: Path, commits: Answer, verdict: str) -> None:
    case = replace(case_of(tmp_path), culprits=("abcd",))
    assert verdict_of(case, commits) == verdict


def test_answers_are_read_from_what_the_tools_print() -> None:
    one, other = "a" * 40, "b" * 40
    assert of_git_bisect(f"{one} is the first bad commit\ncommit {one}\n", Path()) == (one,)
    skipped = f"There are only 'skip'ped commits left to test.\nThe first bad commit could be any of:\n{one}\n{other}\n"
    assert of_git_bisect(skipped, Path()) == (one, other)
    assert of_asv("· Greatest regression found: 07d8dc16 <2.7.3~22>\n", Path()) == ("07d8dc16",)
    assert of_git_bayesect("Bisection narrowed to `a^...b`\nBisection converged to 07d8dc16f8 (98.1%)\n", Path()) == (
        "07d8dc16f8",
    )


def test_the_table_takes_the_place_between_its_marks(tmp_path: Path) -> None:
    case = case_of(tmp_path)
    played = Played(
        case=case.name,
        tool="asv find",
        verdict="one of 3",
        commits=("a", "b", "c"),
        runs=35,
        builds=7,
        seconds=44.2,
        lines=12,
        candidates=25,
        load=1.5,
    )
    page = tmp_path / "peers.md"
    page.write_text(f"Before.\n{BEGIN}\nformer\n{END}\nAfter.\n")
    write(page, [played], [case])
    text = page.read_text()
    assert text.startswith("Before.\n")
    assert text.endswith("After.\n")
    assert "former" not in text
    assert "| asv find | 1 | 0 | 1 | 0 | 0 | 0 | 35 | 7 | 44 | 12 |" in text
    assert json.loads(page.with_suffix(".json").read_text())[0]["commits"] == ["a", "b", "c"]
