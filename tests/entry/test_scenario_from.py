"""`scenario new --from` and `scenario check`: from the benchmark that is there to a scenario that runs."""

import sys
import tomllib
from pathlib import Path

import pytest

from bisector.formats.scenario import parse_scenario
from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

BENCH = """\
import pytest

def test_first(benchmark):
    benchmark(sum, range(10))

@pytest.mark.parametrize("n", [1, 2])
def test_many(benchmark, n):
    benchmark(sum, range(n))

def test_of_something_else():
    pass
"""
SOURCES = {
    "pytest-benchmark": ("test_parse.py", BENCH),
    "pyperf": ("bench_sums.py", "import pyperf\nrunner = pyperf.Runner()\nrunner.bench_func('sum', sum, range(9))\n"),
    "asv": ("asv.conf.json", '{\n  // where they are\n  "version": 1,\n  "benchmark_dir": "speed",\n}\n'),
    "hyperfine": ("results.json", '{"results": [{"command": "sleep 0.01", "times": [0.01]}]}'),
    "k6": ("load.js", "import http from 'k6/http';\nexport default function () { http.get(__ENV.BASE); }\n"),
    "locust": ("locustfile.py", "from locust import HttpUser\n\nclass Visitor(HttpUser):\n    pass\n"),
}


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    """A directory with a benchmark of each tool."""
    made = tmp_path / "speed-tests"
    (made / "speed").mkdir(parents=True)
    (made / "speed" / "sums.py").write_text("def time_sum():\n    sum(range(10))\n")
    (made / "conftest.py").write_text("")
    for name, text in SOURCES.values():
        (made / name).write_text(text)
    return made


@pytest.mark.parametrize("tool", SOURCES)
def test_a_scenario_is_written_that_reads_the_tools_own_file(
    tool: str, cli: Cli, sources: Path, tmp_path: Path
) -> None:
    done = cli("scenario", "new", "mine", "--from", tool, sources / SOURCES[tool][0])
    assert done.code == 0, done.err
    path = tmp_path / "scenarios" / "mine" / "scenario.toml"
    scenario = parse_scenario(path.read_bytes(), where=str(path))
    (metric,) = scenario.metrics
    assert (metric.source, metric.unit) == (tool, "s")
    command = " ".join(scenario.run.command)
    assert metric.file.removesuffix(".json") in command or tool == "asv"
    copied = [word.split("::")[0] for word in scenario.run.command if word.startswith("{scenario}/")]
    assert all((path.parent / word.removeprefix("{scenario}/")).exists() for word in copied)
    assert len([line for line in path.read_text().splitlines() if line and not line.startswith("[")]) <= 15
    assert "bisector scenario check mine" in done.out


def test_the_name_and_the_benchmark_are_taken_from_the_file(cli: Cli, sources: Path, tmp_path: Path) -> None:
    cli("scenario", "new", "--from", "pytest-benchmark", sources / "test_parse.py")
    written = tomllib.loads((tmp_path / "scenarios" / "parse" / "scenario.toml").read_text())
    assert written["metrics"][0]["select"] == "test_first"
    assert {path.name for path in (tmp_path / "scenarios" / "parse").iterdir()} == {
        "scenario.toml",
        "test_parse.py",
        "conftest.py",
    }


def test_a_directory_stands_for_its_configuration(cli: Cli, sources: Path, tmp_path: Path) -> None:
    assert cli("scenario", "new", "--from", "asv", sources).code == 0
    made = tmp_path / "scenarios" / "speed-tests"
    assert (made / "speed" / "sums.py").exists()
    assert 'benchmark_dir": "speed"' in (made / "asv.conf.json").read_text()


def test_a_checkout_that_pip_can_install_is_installed(cli: Cli, repository: Sandbox, tmp_path: Path) -> None:
    repository.write({"pyproject.toml": "[project]\nname = 'x'\n", "speed/test_parse.py": BENCH})
    cli("scenario", "new", "--from", "pytest-benchmark", repository.top / "speed" / "test_parse.py")
    written = tomllib.loads((tmp_path / "scenarios" / "parse" / "scenario.toml").read_text())
    assert written["build"]["steps"][-1] == "pip install --no-cache-dir ."
    assert "env" not in written["run"]


def test_data_that_the_benchmark_names_comes_along_and_the_program_does_not(
    cli: Cli, repository: Sandbox, tmp_path: Path
) -> None:
    text = "import pytest\nDATA = ['samples', 'src', './big.bin', \"words/one.txt\"]\n" + BENCH
    names = ("samples/a.md", "words/one.txt", "other/b.md", "src/mine.py")
    repository.write({"speed/test_parse.py": text, "test_top.py": text})
    repository.write({each: "x" for name in names for each in (name, f"speed/{name}")})
    with (repository.top / "speed" / "big.bin").open("wb") as big:
        big.truncate(17 << 20)
    done = cli("scenario", "new", "--from", "pytest-benchmark", repository.top / "speed" / "test_parse.py")
    made = tmp_path / "scenarios" / "parse"
    assert {path.name for path in made.iterdir()} == {"scenario.toml", "test_parse.py", "samples", "src", "words"}
    assert "big.bin is over 16 MiB" in done.out
    cli("scenario", "new", "--from", "pytest-benchmark", repository.top / "test_top.py")
    top = tmp_path / "scenarios" / "top"
    assert {path.name for path in top.iterdir()} == {"scenario.toml", "test_top.py"}, "src is what is measured"


@pytest.mark.parametrize(
    ("tool", "name", "text", "told"),
    [
        ("pytest-benchmark", "test_x.py", "def test_x(): pass", "no test in it takes `benchmark`"),
        ("pytest-benchmark", "test_x.py", "def test_x(", "it is not a Python file"),
        ("asv", "asv.conf.json", "{", "it is no asv.conf.json"),
        ("asv", "asv.conf.json", '{"benchmark_dir": "../up"}', "is not below it"),
        ("hyperfine", "results.json", '{"runs": []}', "it is not what `hyperfine --export-json` writes"),
        ("locust", "locustfile.py", "def (", "it is not a Python file"),
    ],
)
def test_what_cannot_be_taken_over_is_told(
    tool: str, name: str, text: str, told: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / name).write_text(text)
    done = cli("scenario", "new", "x", "--from", tool, tmp_path / name)
    assert (done.code, told in done.err) == (2, True), done.err
    assert not (tmp_path / "scenarios" / "x").exists()
    assert cli("scenario", "new", "--from", tool, tmp_path / "nosuch").code == 2


def test_nothing_that_is_there_is_overwritten(cli: Cli, sources: Path, tmp_path: Path) -> None:
    (tmp_path / "scenarios" / "parse").mkdir(parents=True)
    (tmp_path / "scenarios" / "parse" / "scenario.toml").write_text("mine")
    done = cli("scenario", "new", "--from", "pytest-benchmark", sources / "test_parse.py")
    assert (done.code, "there is such a scenario already" in done.err) == (2, True)
    assert (tmp_path / "scenarios" / "parse" / "scenario.toml").read_text() == "mine"


def _scenario(tmp_path: Path, command: str, metric: str = 'source = "number"') -> Path:
    made = tmp_path / "tried"
    made.mkdir()
    (made / "scenario.toml").write_text(
        f'name = "tried"\n[run]\ncommand = {command}\n[[metrics]]\nname = "asked"\n{metric}\n'
    )
    return made


@pytest.mark.slow
@pytest.mark.parametrize(
    ("command", "metric", "told"),
    [
        ('["nosuchtool", "run"]', 'source = "k6"', "Install nosuchtool on this machine"),
        ('["sh", "-c", "nosuchtool run"]', 'source = "k6"', "Install nosuchtool on this machine"),
        (f'["env", "{sys.executable}", "-m", "nosuchmodule"]', "", "Install the Python module nosuchmodule"),
        ('["echo", "Benchmarks"]', 'source = "go-bench"', "no line of a Go benchmark"),
        ('["echo", "BenchmarkA 1 2 ns/op\\nBenchmarkB 1 2 ns/op"]', 'source = "go-bench"', "BenchmarkA, BenchmarkB"),
        ('["true"]', 'source = "asv"\nfile = "asv.json"', "the run did not write {out}/asv.json"),
        (
            '["sh", "-c", "head -c 17000000 /dev/zero >{out}/big.json"]',
            'source = "asv"\nfile = "big.json"',
            "(big.json: it is over 16 MiB)",
        ),
    ],
)
def test_check_runs_a_scenario_and_says_what_is_missing(
    command: str, metric: str, told: str, cli: Cli, repository: Sandbox, tmp_path: Path
) -> None:
    named = _scenario(tmp_path, command, metric)
    done = cli("scenario", "check", named, "--repo", repository.top, "--runner", "local")
    assert (done.code, told in done.err) == (4, True), done.out + done.err
    assert cli("scenario", "check", named, "--repo", repository.top, "--no-try").code == 0


@pytest.mark.slow
def test_check_shows_what_was_read(cli: Cli, repository: Sandbox, tmp_path: Path) -> None:
    named = _scenario(tmp_path, '["echo", "BenchmarkA-2 10 250 ns/op 16 B/op"]', 'source = "go-bench"')
    done = cli("scenario", "check", named, "--repo", repository.top, "--runner", "local")
    assert done.code == 0, done.err
    assert "BenchmarkA-2 (ns/op) of go-bench, one value in s, lower is better" in done.out
    assert "also in the output: quantity B/op" in done.out
    assert "asked      median 250 ns" in done.out


def test_check_without_a_repository_reads_alone_and_says_so(cli: Cli, tmp_path: Path) -> None:
    done = cli("scenario", "check", _scenario(tmp_path, '["true"]'))
    assert (done.code, "you stand in no repository" in done.out) == (0, True), done.err
