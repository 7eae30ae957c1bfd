"""Bad input: one message (what, where, what next), its exit code, no traceback. One golden file holds them all.

`pytest tests/entry/test_messages.py --update-golden` writes the file anew; read the difference before committing it.
"""

import contextlib
import os
import re
import sqlite3
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.entry.conftest import Cli, Printed
from tests.helpers.installs import need_engine
from tests.helpers.repositories import Sandbox

GOLDEN = Path(__file__).parent / "golden" / "messages.txt"
Case = Callable[[Cli, Sandbox, Path], Printed]
CASES: dict[str, Case] = {}
MARKS: dict[str, tuple[pytest.MarkDecorator, ...]] = {}
DOCKER = (pytest.mark.docker, pytest.mark.slow)
MOUNTS = (pytest.mark.slow, pytest.mark.skipif(os.geteuid() != 0, reason="mounting a small disk needs root"))


def case(name: str, *marks: pytest.MarkDecorator) -> Callable[[Case], Case]:
    def add(function: Case) -> Case:
        CASES[name] = function
        MARKS[name] = marks
        return function

    return add


@contextlib.contextmanager
def small_disk(at: Path, kibibytes: int) -> Iterator[None]:
    """A disk of its own at `at`."""
    at.mkdir(exist_ok=True)
    command = ["mount", "-t", "tmpfs", "-o", f"size={kibibytes}k", "bisector-test", str(at)]
    if subprocess.run(command, capture_output=True, check=False).returncode:
        pytest.skip("mounting a small disk is not allowed here")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def bisect(cli: Cli, repository: Sandbox, *arguments: str | Path, good: str = "good", bad: str = "bad") -> Printed:
    return cli("bisect", good, bad, "--repo", repository.top, "--runner", "local", *arguments)


def in_docker(cli: Cli, repository: Sandbox, scenario: Path, image: str) -> Printed:
    arguments = ("--runner", "docker", "--image", image, "--scenario", scenario)
    return cli("bisect", "good", "bad", "--repo", repository.top, *arguments)


def scenario_with(scenario: Path, **changes: str) -> Path:
    text = (scenario / "scenario.toml").read_text()
    for old, new in (change.split(" => ") for change in changes.values()):
        assert old in text
        text = text.replace(old, new)
    (scenario / "scenario.toml").write_text(text)
    return scenario


def printing(scenario: Path, text: str) -> Path:
    (scenario / "bench.py").write_text(f"print({text!r})\n")
    return scenario


@case("an unknown ref")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario, good="godo")


@case("a ref that is an option")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    ends = ("--", "--upload-pack=touch", "bad")
    return cli("bisect", "--repo", repository.top, "--runner", "local", "--scenario", scenario, *ends)


@case("good is bad")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario, bad="good")


@case("the ends are reversed")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario, good="bad", bad="good")


@case("not a repository")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return cli("bisect", "good", "bad", "--repo", scenario, "--runner", "local", "--scenario", scenario)


@case("a shallow clone")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    clone = repository.top.parent / "shallow"
    source = f"file://{repository.top}"
    subprocess.run(["git", "clone", "--quiet", "--depth", "2", source, str(clone)], check=True, capture_output=True)
    return cli("bisect", "HEAD~1", "HEAD", "--repo", clone, "--runner", "local", "--scenario", scenario)


@case("no such scenario")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", "import-tyme")


@case("a date that is none")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario, "--as-of", "yesterday")


@case("constraints that are not there")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    wanted = scenario_with(scenario, a='[build] => [build]\nconstraints = "pins.txt"')
    return bisect(cli, repository, "--scenario", wanted)


@case("a date that a Dockerfile would not see")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    wanted = scenario_with(scenario, a='[build] => [build]\ndockerfile = "Dockerfile"')
    return bisect(cli, repository, "--scenario", wanted, "--as-of", "2026-01-31")


@case("no such metric")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario, "--metric", "second")


@case("an unknown key in the scenario")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario_with(scenario, a="timeout_seconds => timeout_second"))


@case("a scenario that is no TOML")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    (scenario / "scenario.toml").write_text("name = \n")
    return bisect(cli, repository, "--scenario", scenario)


@case("nothing to run")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository)


@case("a scenario and a command")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario, "--", "true")


@case("an unknown result format")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--results", "xml", "--", "true")


@case("a share that is none")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario, "--min-effect", "lots")


@case("a duration that is none")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", scenario, "--max-time", "soon")


@case("a command that does not exist")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--", "no-such-program", "--fast")


@case("a build step that fails everywhere")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--build", "echo broken >&2; exit 3", "--", "true")


@case("output without the metric")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", printing(scenario, '{"milliseconds": 3}'))


@case("NaN for a time")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", printing(scenario, '{"seconds": NaN}'))


@case("a negative time")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", printing(scenario, '{"seconds": -1}'))


@case("results that are not JSON")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return bisect(cli, repository, "--scenario", printing(scenario, "took 3 s"))


@case("no Docker engine")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", "unix:///nonexistent/docker.sock")
        return in_docker(cli, repository, scenario, "python:3.11-slim")


@case("no Docker engine at an address")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
        return in_docker(cli, repository, scenario, "python:3.11-slim")


@case("a base image that cannot be had", *DOCKER)
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return in_docker(cli, repository, scenario, "127.0.0.1:1/no/such-image:3")


@case("a base image whose name is none", *DOCKER)
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return in_docker(cli, repository, scenario, "Python 3")


@case("Docker without a base image", *DOCKER)
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return cli("bisect", "good", "bad", "--repo", repository.top, "--runner", "docker", "--scenario", scenario)


@case("a state directory that cannot be made")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BISECTOR_STATE_DIR", "/dev/null/state")
        return bisect(cli, repository, "--scenario", scenario)


@case("no space for the database", *MOUNTS)
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    with small_disk(Path(os.environ["BISECTOR_STATE_DIR"]), 60):
        return bisect(cli, repository, "--scenario", scenario)


@case("no space in the cache directory", *MOUNTS)
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    with small_disk(Path(os.environ["BISECTOR_CACHE_DIR"]), 200):
        return bisect(cli, repository, "--scenario", scenario)


@case("no space for a build", *MOUNTS)
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    bulky = Sandbox.make(repository.top.parent / "bulky")
    for number in range(4):
        bulky.commit(f"Change {number}", {"lib.py": f"LEVEL = {1.0 + number}\n", "bulk": bytes(16 << 20)})
    ends = {"good": "main~3", "bad": "main"}
    with small_disk(Path(os.environ["BISECTOR_CACHE_DIR"]), 20 << 10):  # the measuring helper and py-spy need 10 MiB
        return bisect(cli, bulky, "--scenario", scenario, **ends)


@case("a database from a newer version")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    cli("db", "upgrade")
    path = Path(os.environ["BISECTOR_STATE_DIR"]) / "bisector.sqlite3"
    with sqlite3.connect(path) as raw:
        raw.execute("UPDATE alembic_version SET version_num = '9999'")
    raw.close()
    return bisect(cli, repository, "--scenario", scenario)


@case("a database that is none")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    path = Path(os.environ["BISECTOR_STATE_DIR"]) / "bisector.sqlite3"
    path.parent.mkdir()
    path.write_bytes(b"junk" * 5000)
    return cli("jobs", "list")


@case("a database URL that is none")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("BISECTOR_DATABASE_URL", "nonsense://x")
        return cli("jobs", "list")


@case("an unknown setting")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    Path("bisector.toml").write_text("keep_day = 3\n")
    return cli("jobs", "list")


@case("no such job")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return cli("jobs", "show", "17")


@case("not the number of a job")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return cli("report", "first")


@case("resuming a job that is done")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    cli("bisect", "good", "bad", "--simulate", "candidates=4,culprit=2")
    return cli("jobs", "resume", "1")


@case("a simulated world that is none")
def _(cli: Cli, repository: Sandbox, scenario: Path) -> Printed:
    return cli("bisect", "good", "bad", "--simulate", "commits=3")


def told(printed: Printed, repository: Sandbox) -> str:
    """What a person is told: the error, or the answer's sentence; paths of this test made the same everywhere."""
    error = printed.err[printed.err.find("bisector: ") :] if "bisector: " in printed.err else ""
    usage = "\n".join(line for line in printed.err.splitlines() if line.startswith("Error"))
    text = error or usage or printed.out.split("\n\n")[0]
    text = text.replace(str(repository.top.parent), "TMP").strip()
    text = re.sub(r"(/tools/making-)\w+", r"\1NAME", text)
    return re.sub(r"\b[0-9a-f]{10,64}\b", "SHA", text)


def read_golden() -> dict[str, str]:
    parts = re.split(r"^## (.*)\n", GOLDEN.read_text(), flags=re.MULTILINE)[1:] if GOLDEN.exists() else []
    return {name: text.strip() for name, text in zip(parts[::2], parts[1::2], strict=True)}


@pytest.mark.parametrize("name", [pytest.param(name, marks=MARKS[name]) for name in CASES])
def test_bad_input_is_told_in_one_message(
    name: str, cli: Cli, repository: Sandbox, scenario: Path, request: pytest.FixtureRequest
) -> None:
    if pytest.mark.docker in MARKS[name]:
        need_engine()
    printed = CASES[name](cli, repository, scenario)
    assert "Traceback" not in printed.err + printed.out
    assert printed.code not in {0, 1}
    message = f"exit {printed.code}\n{told(printed, repository)}"
    golden = read_golden()
    if request.config.getoption("--update-golden"):
        golden[name] = message
        GOLDEN.write_text("\n".join(f"## {each}\n{golden[each]}\n" for each in CASES if each in golden))
    assert golden.get(name) == message


def test_every_message_is_kept() -> None:
    assert list(read_golden()) == list(CASES)
