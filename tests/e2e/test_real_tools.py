"""Real benchmark and load tools, run by `scenario run` as anybody would run them, and what they wrote read."""

import re
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.helpers.installs import BASE_IMAGE, Install
from tests.helpers.repositories import Sandbox

SOURCES = Path(__file__).parents[1] / "data" / "results" / "source"
BIN = Path(sys.executable).parent
PYTHON = ("env", sys.executable)
"""The tests' own interpreter, which has the tools: behind `env`, so that no virtual environment is made for a build."""
SERVED = """\
set -e
"$1" "$2/server.py" 0 >"$3/port" &
server=$!
trap 'kill $server' EXIT
while ! [ -s "$3/port" ]; do sleep 0.05; done
address="http://127.0.0.1:$(cat "$3/port")"
shift 3
"$@" "$address/"
"""
SERVER = """\
import http.server, sys
class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"fine")
    def log_message(self, *arguments):
        pass
server = http.server.ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Handler)
print(server.server_address[1], flush=True)
server.serve_forever()
"""
ASV = """\
set -e
cp -r "$2" "$3/project" && cd "$3/project"
mkdir -p benchmarks && cp sums.py benchmarks/ && touch benchmarks/__init__.py
git init -q && git -c user.name=a -c user.email=a@example.org commit -q --allow-empty -m made
export HOME="$3"
"$1/asv" machine --yes --machine here >/dev/null
"$1/asv" run -E "existing:$1/python" --set-commit-hash "$(git rev-parse HEAD)" --machine here --quick \\
    --record-samples --bench time_one --bench peakmem >&2
cp results/here/*-existing*.json "$3/asv.json"
"""


@dataclass(frozen=True, kw_only=True)
class Case:
    """A tool: its program where it is not Python's, its command, the metric's keys, what is told of the reading."""

    needs: str = ""
    command: tuple[str, ...]
    metric: str
    told: str
    files: tuple[tuple[str, str], ...] = field(default=())


def served(*command: str) -> tuple[str, ...]:
    """A load tool's command with a server to load, the address behind it."""
    return ("sh", "{scenario}/served.sh", sys.executable, "{scenario}", "{out}", *command)


def own(name: str, called: str = "") -> tuple[str, str]:
    """A file that the fixtures are made with, too."""
    return (called or name, (SOURCES / name).read_text())


CASES = {
    "pytest-benchmark": Case(
        command=(
            *(*PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider", "{scenario}/test_sums.py"),
            *("--benchmark-json={out}/b.json", "--benchmark-max-time=0.001"),
        ),
        files=(own("bench_sums.py", "test_sums.py"),),
        metric='source = "pytest-benchmark"\nfile = "b.json"\nselect = "test_sum[1000]"',
        told=r"test_sum\[1000\] \(time\) of pytest-benchmark, the median of \d+ inner values from .+s to .+s, lower is "
        r"better\nread +also in b.json: quantity ops, extra_info.size; test_sum\[100\], test_sorted",
    ),
    "pyperf": Case(
        command=(
            *(*PYTHON, "{scenario}/two.py", "-o", "{out}/p.json", "--quiet", "--processes=2", "--values=1"),
            *("--warmups=0", "--loops=4"),
        ),
        files=(own("pyperf_two.py", "two.py"),),
        metric='source = "pyperf"\nfile = "p.json"\nselect = "sorted"\nstatistic = "min"',
        told=r"sorted \(time\) of pyperf, the min of 2 inner values from .+s to .+s",
    ),
    "asv": Case(
        command=("sh", "{scenario}/asv.sh", str(BIN), "{scenario}", "{out}"),
        files=(own("asv_sums.py", "sums.py"), own("asv.conf.json"), ("asv.sh", ASV)),
        metric='source = "asv"\nfile = "asv.json"\nselect = "sums.peakmem_list"',
        told=r"sums.peakmem_list \(peak_memory\) of asv, one value in B, lower is better",
    ),
    "hyperfine": Case(
        needs="hyperfine",
        command=("hyperfine", "-N", "--runs", "3", "--export-json", "{out}/h.json", "sleep 0.01"),
        metric='source = "hyperfine"\nfile = "h.json"',
        told=r"sleep 0.01 \(time\) of hyperfine, the median of 3 inner values from .+ms to .+ms",
    ),
    "google-benchmark": Case(
        needs="g++",
        command=("./sums", "--benchmark_format=json", "--benchmark_min_time=0.01", "--benchmark_filter=BM_Sum"),
        files=(own("sums.cc"),),
        metric='source = "google-benchmark"\nselect = "BM_Sum/512"\nquantity = "items_per_second"',
        told=r"BM_Sum/512 \(items_per_second\) of google-benchmark, one value in 1/s, higher is better\n"
        r"read +also in the output: quantity real_time, cpu_time, .*; BM_Sum/64",
    ),
    "wrk": Case(
        needs="wrk",
        command=served("wrk", "-t1", "-c2", "-d1s", "--latency"),
        files=(("served.sh", SERVED), ("server.py", SERVER)),
        metric='source = "wrk"\nstatistic = "p99"',
        told=r"latency of wrk, the p99 as the tool states it \(it also states .*median.*\), lower is better",
    ),
    "hey": Case(
        needs="hey",
        command=served("hey", "-n", "40", "-c", "2", "-o", "csv"),
        files=(("served.sh", SERVED), ("server.py", SERVER)),
        metric='source = "hey"\nstatistic = "p90"',
        told=r"latency of hey, the p90 of 40 inner values from .+; hey rounds to 0.1 ms",
    ),
    "locust": Case(
        command=served(
            *(f"{BIN}/locust", "-f", "{scenario}/locustfile.py", "--headless", "-u", "2", "-r", "2", "-t", "2s"),
            *("--tags", "fine", "--only-summary", "--json-file", "{out}/l", "--host"),
        ),
        files=(("served.sh", SERVED), ("server.py", SERVER), own("locustfile.py")),
        metric='source = "locust"\nfile = "l.json"\nselect = "Aggregated"\nstatistic = "mean"',
        told=r"Aggregated \(time\) of locust, the mean as the tool states it .*, lower is better; Locust rounds",
    ),
    "number": Case(
        command=(*PYTHON, "-c", "print('noise'); print(42.5)"),
        metric='source = "number"\nunit = "points"\nbetter = "higher"',
        told=r"asked: number, one value in points, higher is better as the scenario says",
    ),
}


def lay(tmp_path: Path, case: Case, build: str = "") -> tuple[Path, Path]:
    """A repository of one commit and the scenario beside it."""
    made = Sandbox.make(tmp_path / "repository")
    made.commit("All there is", {"lib.py": "LEVEL = 1\n"})
    scenario = tmp_path / "scenario"
    scenario.mkdir()
    for name, text in case.files:
        (scenario / name).write_text(text)
    command = ", ".join(f"'{word}'" if "'" not in word else f'"{word}"' for word in case.command)
    (scenario / "scenario.toml").write_text(
        f"name = 'tool'\n{build}[run]\ncommand = [{command}]\ntimeout_seconds = 60\n"
        f"[[metrics]]\nname = 'asked'\n{case.metric}\n"
    )
    return made.top, scenario


@pytest.mark.slow
@pytest.mark.parametrize("name", CASES)
def test_what_a_real_tool_writes_is_read(name: str, local_install: Install, tmp_path: Path) -> None:
    case = CASES[name]
    if case.needs and shutil.which(case.needs) is None:
        pytest.skip(f"{case.needs} is not installed (tests/environment/up.sh tools)")
    build = ""
    if name == "google-benchmark":
        build = "[build]\nsteps = ['g++ -O1 -o sums {scenario}/sums.cc -lbenchmark -lpthread']\n"
    repository, scenario = lay(tmp_path, case, build)
    done = local_install.run("scenario", "run", scenario, "--repo", repository, "--runner", "local", "--runs", "1")
    assert done.code == 0, done.out + done.err
    assert re.search(rf"^read +asked: .*{case.told}|^read +{case.told}", done.out, re.MULTILINE), done.out
    assert re.search(r"^asked +median \S", done.out, re.MULTILINE), done.out


@pytest.mark.docker
@pytest.mark.slow
def test_a_tool_in_a_container_is_read_from_the_file_it_wrote_there(docker_install: Install, tmp_path: Path) -> None:
    case = CASES["pytest-benchmark"]
    inside = Case(command=("python", *case.command[2:]), files=case.files, metric=case.metric, told=case.told)
    build = f"[build]\nimage = '{BASE_IMAGE}'\nsteps = ['pip install -q pytest-benchmark']\n"
    repository, scenario = lay(tmp_path, inside, build)
    done = docker_install.run("scenario", "run", scenario, "--repo", repository, "--runner", "docker", "--runs", "1")
    assert done.code == 0, done.out + done.err
    assert re.search(case.told, done.out), done.out


def test_the_tools_run_here_are_the_ones_the_environment_installs() -> None:
    """What a case needs is installed by tests/environment/up.sh, or CI would skip and so fail."""
    listed = (Path(__file__).parents[1] / "environment" / "up.sh").read_text()
    needed = {case.needs for case in CASES.values() if case.needs}
    installed = set(re.findall(r"^tools\(\) \{ packages (.*); \}", listed, re.MULTILINE)[0].split())
    assert needed <= installed
    assert (
        subprocess.run(["bash", "-n", Path(__file__).parents[1] / "environment" / "up.sh"], check=False).returncode == 0
    )
