"""What attends a command with services, compiled and in Python: one behaviour."""

import contextlib
import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path

import pytest

from bisector.adapters.measure.record import parse_fields
from bisector.adapters.measure.tools import Tools
from bisector.formats.results.counting import CUT
from tests.adapters.runner.laboratory import marker, processes, wait_until_asleep, wait_until_gone

ENV = {"PATH": os.environ["PATH"]}
SERVER = """
import http.server, os, signal, sys, time
port, mode = int(sys.argv[1]), sys.argv[2:]
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(500 if "broken" in mode else 200)
        self.end_headers()
        self.wfile.write(str(os.getpid()).encode() if self.path == "/pid" else b"hello")
    def do_POST(self):
        os._exit(7)
server = http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler)
print("now", "listening", flush=True)
try:
    server.serve_forever()
except KeyboardInterrupt:
    print("ended in order", flush=True)
"""
ASK = "import sys, urllib.request as u; print(u.urlopen('http://127.0.0.1:' + sys.argv[1]).read().decode())"
KILL = """
import sys, time, urllib.request as u
at = 'http://127.0.0.1:' + sys.argv[1]
pid = u.urlopen(at + '/pid').read().decode()
def is_over():
    try:
        return open(f'/proc/{pid}/stat').read().rpartition(')')[2].split()[0] == 'Z'
    except OSError:
        return True
try:
    u.urlopen(at, b'x')
except Exception as error:
    broken = error
while not is_over():
    time.sleep(0.01)
"""
"""Makes the service end, and waits for that: connections are closed a little before, and a quick client ends first."""
HTTP = ("--probe", "http", "2", "{port}", "/")


@dataclass(frozen=True, kw_only=True)
class Attended:
    """How it ended, and its report."""

    code: int
    out: str
    err: str
    fields: dict[str, str]


@dataclass(frozen=True, kw_only=True)
class Place:
    """The programs, and a directory of a test's own."""

    tools: Tools
    top: Path

    def argv(self, services: Sequence[Sequence[str]], command: Sequence[str], *more: str) -> list[str]:
        told = [word for service in services for word in service]
        out = str(self.top / "services")
        return [*self.tools.here("attend"), "--out", out, "--timeout", "20", *more, *told, "--", *command]

    def attend(self, services: Sequence[Sequence[str]], command: Sequence[str], *more: str) -> Attended:
        argv = self.argv(services, command, *more)
        done = subprocess.run(argv, capture_output=True, text=True, env=ENV, timeout=60, check=False)
        path = self.top / "services" / "report"
        fields = parse_fields(path.read_bytes()) if path.exists() else {}
        assert fields is not None
        return Attended(
            code=done.returncode, out=done.stdout, err=done.stderr, fields={n: t.decode() for n, t in fields.items()}
        )

    def log(self, name: str = "web") -> str:
        return (self.top / "services" / f"{name}.log").read_text()


@pytest.fixture
def place(tools: Tools, tmp_path: Path) -> Place:
    return Place(tools=tools, top=tmp_path)


def service(*command: str, name: str = "web", probe: Sequence[str] = HTTP, more: Sequence[str] = ()) -> list[str]:
    """What is told of one service."""
    words = ("--words", str(len(command)), *command)
    return ["--service", name, *words, *probe, "--ready", "15", "--stop", "5", "--signal", "15", *more]


def web(*mode: str, probe: Sequence[str] = HTTP, more: Sequence[str] = ()) -> list[str]:
    return service(sys.executable, "-c", SERVER, "{port}", *mode, probe=probe, more=more)


def ask(port: str = "{port}") -> list[str]:
    return [sys.executable, "-c", ASK, port]


@pytest.mark.parametrize(
    "probe",
    [
        HTTP,
        ("--probe", "tcp", "1", "{port}"),
        ("--probe", "log", "1", "now listening"),
        ("--probe", "command", "4", sys.executable, "-c", ASK, "{port}"),
    ],
)
def test_the_command_runs_once_the_service_is_ready(place: Place, probe: Sequence[str]) -> None:
    done = place.attend([web(probe=probe)], ask())
    assert (done.code, done.out, done.err) == (0, "hello\n", "")
    assert done.fields["client"] == "exit 0"
    assert done.fields["ended.0"] == "signal 15"
    assert int(done.fields["ready_ns.0"]) > 0
    assert "log.0" not in done.fields


def test_its_end_is_the_commands(place: Place) -> None:
    done = place.attend([web()], ["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (done.code, done.out, done.err, done.fields["client"]) == (3, "out\n", "err\n", "exit 3")
    assert "now listening" in done.fields["log.0"], "of a run that failed the log is told"
    (place.top / "services" / "report").unlink()
    done = place.attend([web()], ["sh", "-c", "kill -SEGV $$"])
    assert (done.code, done.fields["client"]) == (-signal.SIGSEGV, f"signal {signal.SIGSEGV:d}")


def test_wall_time_is_the_commands_and_usage_is_told_apart(place: Place) -> None:
    busy = "import time\nwhile time.process_time() < 0.4: pass\nprint('up', flush=True)\ntime.sleep(60)"
    done = place.attend([service(sys.executable, "-c", busy, probe=("--probe", "log", "1", "up"))], ["sleep", "0.3"])
    assert done.code == 0
    assert 0.3e9 <= int(done.fields["wall_ns"]) < 0.3e9 + int(done.fields["ready_ns.0"])
    assert int(done.fields["cpu_us.0"]) >= 400_000
    assert int(done.fields["cpu_us"]) < 200_000


def test_what_children_of_a_service_used_is_the_services(place: Place) -> None:
    busy = "import time\nwhile time.process_time() < 0.3: pass"
    left = f"({sys.executable} -c '{busy}' &) ; echo up; sleep 1; exec sleep 60"
    done = place.attend([service("sh", "-c", left, probe=("--probe", "log", "1", "up"))], ["sleep", "1.5"])
    assert int(done.fields["cpu_us.0"]) >= 100_000, "an orphan's, too"


def test_services_are_started_in_order_and_stopped_in_reverse(place: Place) -> None:
    trace = place.top / "trace"
    ending = f'trap "echo $1 ends >> {trace}; exit" TERM'
    script = f"{ending}; echo $1 starts $2 >> {trace}; echo up; while :; do sleep 0.05; done"
    services = [
        service("sh", "-c", script, "sh", name, port, name=name, probe=("--probe", "log", "1", "up"))
        for name, port in (("db", "{port}"), ("web", "{port.db}"))
    ]
    done = place.attend(services, ["sh", "-c", f"echo load $0 $1 >> {trace}", "{port}", "{port.db}"])
    assert done.code == 0
    lines = [line.split() for line in trace.read_text().splitlines()]
    assert [line[:2] for line in lines if line[0] != "load"] == [
        ["db", "starts"], ["web", "starts"], ["web", "ends"], ["db", "ends"]
    ]  # fmt: skip
    (db, web_port), load = (line[2] for line in lines[:2]), lines[2]
    assert db == web_port == load[2]
    assert load[1] != db, "the command's {port} is the last service's"


def test_ports_are_put_into_the_environment_of_each(place: Place) -> None:
    show = 'echo "$MINE $OTHER"; echo up; exec sleep 60'
    env = ("--env", "MINE={port}", "--env", "OTHER={port.b}")
    one = service("sh", "-c", show, name="a", probe=("--probe", "log", "1", "up"), more=env)
    two = service("sh", "-c", "echo up; exec sleep 60", name="b", probe=("--probe", "log", "1", "up"))
    done = place.attend([one, two], ["sh", "-c", 'echo "$A $B"'], "--env", "A={port.a}", "--env", "B={port}")
    assert done.out.strip() == place.log("a").splitlines()[0]
    assert all(15000 <= int(port) < 65536 for port in done.out.split())


def test_a_service_that_is_not_ready_in_time_is_told_with_its_log(place: Place) -> None:
    done = place.attend([web("broken", more=("--ready", "1.5"))], ["touch", str(place.top / "ran")])
    assert (done.code, done.fields["fault"], done.fields["ended.0"]) == (125, "not_ready 0", "signal 15")
    assert "now listening" in done.fields["log.0"]
    assert "500" in done.fields["log.0"]
    assert not (place.top / "ran").exists()


def test_a_service_that_ends_before_it_is_ready_is_told_at_once(place: Place) -> None:
    began = time.monotonic()
    done = place.attend([service("sh", "-c", "echo broken by design; exit 9")], ["true"])
    assert (done.code, done.fields["fault"], done.fields["ended.0"]) == (125, "service_ended 0", "exit 9")
    assert (done.fields["ready_ns.0"], done.fields["log.0"]) == ("0", "broken by design\n")
    assert time.monotonic() - began < 10


@pytest.mark.parametrize("then", ["raise broken", "pass", "time.sleep(60)"])
def test_a_service_that_dies_under_load_is_why_the_run_failed(place: Place, then: str) -> None:
    """Whether the command fails with it, ends well all the same, or goes on."""
    done = place.attend([web()], [sys.executable, "-c", KILL + then, "{port}"])
    assert (done.code, done.fields["fault"], done.fields["ended.0"]) == (125, "service_ended 0", "exit 7")
    assert int(done.fields["ready_ns.0"]) > 0


@pytest.mark.parametrize("end", ["exit 0", "exit 1"])
def test_a_service_that_is_found_dead_together_with_the_command_is_why_the_run_failed(place: Place, end: str) -> None:
    """Both are over before anybody looks: whoever attends them is held up meanwhile."""
    pid = place.top / "pid"
    web = service("sh", "-c", f"echo $$ > {pid}; echo up; exec sleep 60", probe=("--probe", "log", "1", "up"))
    later = '(setsid sh -c "sleep 0.3; kill -CONT $PPID" &)'
    done = place.attend([web], ["sh", "-c", f"kill -STOP $PPID; {later}; kill -9 $(cat {pid}); {end}"])
    assert (done.code, done.fields["fault"], done.fields["ended.0"]) == (125, "service_ended 0", "signal 9")
    assert done.fields["client"] == end


def test_what_cannot_be_started_is_told_by_its_error(place: Place) -> None:
    done = place.attend([service("/no/such", name="web")], ["true"])
    assert (done.code, done.fields["fault"], done.fields["ended.0"]) == (125, "cannot_start 0", "failed 2")
    (place.top / "services" / "report").unlink()
    done = place.attend([web()], ["/no/such/client"])
    assert done.fields["client"] == "failed 2"


def test_a_command_that_takes_too_long_is_ended(place: Place) -> None:
    mark = marker()
    done = place.attend(
        [web()], ["sh", "-c", f"trap '' TERM; setsid sleep {mark} & sleep {mark}"], "--timeout", "0.5", "--grace", "0.3"
    )
    assert (done.code, done.fields["fault"]) == (125, "timed_out 0")
    assert processes(mark) == []


def test_a_service_is_told_to_stop_and_killed_when_it_does_not(place: Place) -> None:
    script = "trap 'echo told' TERM; echo up; while :; do sleep 0.05; done"
    slow = service("sh", "-c", script, probe=("--probe", "log", "1", "up"), more=("--stop", "0.5"))
    done = place.attend([slow], ["true"])
    assert (done.code, done.fields["ended.0"]) == (0, "signal 9")
    assert "told" in place.log()


def test_a_service_can_be_told_to_stop_by_another_signal(place: Place) -> None:
    done = place.attend([web(more=("--signal", "2"))], ["true"])
    assert (done.fields["ended.0"], place.log().splitlines()[-1]) == ("exit 0", "ended in order")


def test_behind_a_profiler_it_is_the_service_that_is_told_to_stop(place: Place) -> None:
    pid = str(place.top / "services" / "web.pid")
    gate = ["/bin/sh", "-c", 'echo $$ > "$0" && exec "$@"', pid, sys.executable, "-c", SERVER, "{port}"]
    around = ["sh", "-c", '"$@"; echo the profiler wrote', "sh"]
    done = place.attend([service(*around, *gate, more=("--gated",))], ask())
    assert (done.code, done.fields["ended.0"]) == (0, "exit 0")
    assert "the profiler wrote" in place.log()


def test_nothing_a_service_started_is_left(place: Place) -> None:
    mark = marker()
    daemon = f"(setsid sh -c 'trap \"\" TERM; (sleep {mark} &) ; sleep {mark}' &)"
    script = f"{daemon} ; sleep {mark} & echo up; exec sleep {mark}"
    done = place.attend([service("sh", "-c", script, probe=("--probe", "log", "1", "up"))], ["sleep", "0.2"])
    assert done.code == 0
    assert processes(mark) == []


@contextlib.contextmanager
def started(place: Place, mark: str) -> "Iterator[subprocess.Popen[bytes]]":
    services = [service("sh", "-c", f"echo up; exec sleep {mark}", probe=("--probe", "log", "1", "up"))]
    with subprocess.Popen(place.argv(services, ["sleep", mark]), env=ENV, start_new_session=True) as process:
        try:
            limit = time.monotonic() + 20
            while sum(words[0].endswith("sleep") for words in processes(mark)) < 2:
                assert time.monotonic() < limit
                time.sleep(0.05)
            yield process
        finally:
            process.kill()


def test_told_to_end_it_ends_all_of_them(place: Place) -> None:
    mark = marker()
    with started(place, mark) as process:
        process.terminate()
        assert process.wait(20) == 128 + signal.SIGTERM
    assert processes(mark) == []


def test_nothing_outlives_it_when_it_is_killed(place: Place) -> None:
    mark = marker()
    with started(place, mark) as process:
        wait_until_asleep(mark)
        process.kill()
        process.wait(20)
    wait_until_gone(mark)


def test_a_log_does_not_grow_without_end(place: Place) -> None:
    script = (
        "echo up; i=0; while [ $i -lt 40 ]; do head -c 1000000 /dev/zero; i=$((i+1)); sleep 0.02; done; exec sleep 60"
    )
    log = place.top / "services" / "web.log"
    begins, line = f"head -c {len(CUT)} {shlex.quote(str(log))}", shlex.quote(CUT.decode().strip())
    until_cut = f"until {begins} | grep -q {line}; do sleep 0.1; done"
    done = place.attend([service("sh", "-c", script, probe=("--probe", "log", "1", "up"))], ["sh", "-c", until_cut])
    assert done.code == 0
    assert log.stat().st_size < 30_000_000
    assert log.read_bytes().startswith(CUT), "who counts what it says is told that it is not all there"


def test_the_command_is_run_at_each_size(place: Place) -> None:
    work = (
        "import os, sys, time\nprint(sys.argv[1], os.environ['N'])\n"
        "while time.process_time() < int(sys.argv[1]) / 1000: pass"
    )
    done = place.attend(
        [], [sys.executable, "-c", work, "{size}"], "--sizes", "3", "0", "50", "300", "--env", "N={size}"
    )
    assert (done.code, done.out, done.fields["client"]) == (0, "0 0\n50 50\n300 300\n", "exit 0")
    lines = [line.split() for line in (place.top / "services" / "sizes").read_text().splitlines()]
    assert [line[0] for line in lines] == ["0", "50", "300"]
    walls, cpus, peaks = ([int(line[at]) for line in lines] for at in (1, 2, 3))
    assert cpus[2] >= 300_000 > cpus[1], "each is told its own"
    assert sum(walls) <= int(done.fields["wall_ns"])
    assert sum(cpus) == int(done.fields["cpu_us"])
    assert max(peaks) == int(done.fields["peak_kib"]) > 0


def test_sizes_end_with_the_first_that_fails_or_takes_too_long(place: Place) -> None:
    done = place.attend([], ["sh", "-c", "echo {size}; exit {size}"], "--sizes", "4", "0", "3", "0", "1")
    assert (done.code, done.out, done.fields["client"]) == (3, "0\n3\n", "exit 3")
    for name in ("report", "sizes"):
        (place.top / "services" / name).unlink()
    done = place.attend([], ["sleep", "{size}"], "--sizes", "3", "0.4", "0.4", "60", "--timeout", "1.5")
    assert (done.code, done.fields["fault"]) == (125, "timed_out 0"), "the limit is of all of them together"


def test_memory_is_looked_at_again_and_again(place: Place) -> None:
    grow = "import time\nkept = []\nfor _ in range(10):\n kept.append(b'x' * 4_000_000)\n time.sleep(0.1)"
    done = place.attend([], [sys.executable, "-c", grow], "--sample", "0.05")
    assert done.code == 0
    looks = [tuple(map(int, line.split())) for line in (place.top / "services" / "memory").read_text().splitlines()]
    assert len(looks) > 8
    assert all(one < other for (one, _), (other, _) in pairwise(looks))
    # The last look may fall into its end, when most of it is given back.
    assert max(size for _, size in looks) - looks[3][1] > 8_000_000


def test_memory_is_the_last_services_where_there_is_one(place: Place) -> None:
    hog = service(sys.executable, "-c", "k = b'x' * 60_000_000; print('up', flush=True); import time; time.sleep(60)",
                  probe=("--probe", "log", "1", "up"))  # fmt: skip
    place.attend([hog], ["sleep", "0.4"], "--sample", "0.05")
    looks = [int(line.split()[1]) for line in (place.top / "services" / "memory").read_text().splitlines()]
    assert min(looks) > 60_000_000


def test_what_a_service_tells_is_kept_before_and_after(place: Place) -> None:
    done = place.attend([web(more=("--scrape", "2", "{port}", "/metrics"))], ask())
    assert done.code == 0
    for when in ("before", "after"):
        told = (place.top / "services" / f"web.{when}").read_bytes()
        assert told.startswith(b"HTTP/1.0 200 OK\r\n")
        assert told.endswith(b"\r\n\r\nhello")
    assert [line.split('"')[1] for line in place.log().splitlines() if "GET" in line][-3:] == [
        "GET /metrics HTTP/1.0", "GET / HTTP/1.1", "GET /metrics HTTP/1.0"
    ]  # fmt: skip


def test_a_service_that_tells_nothing_leaves_an_empty_file_and_a_run_that_failed_is_not_asked_again(
    place: Place,
) -> None:
    done = place.attend([web(more=("--scrape", "2", "1", "/metrics"))], ["false"])
    assert done.code == 1
    assert (place.top / "services" / "web.before").read_bytes() == b""
    assert not (place.top / "services" / "web.after").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("--out", "x"),
        ("--out", "x", "--"),
        ("--out", "x", "--nonsense", "1", "--", "true"),
        ("--out", "x", "--service", "a", "--", "true"),
        ("--out", "x", "--service", "a", "--words", "9", "true"),
    ],
)
def test_what_it_cannot_understand_is_its_own_failure(tools: Tools, tmp_path: Path, arguments: tuple[str, ...]) -> None:
    done = subprocess.run(
        [*tools.here("attend"), *arguments], capture_output=True, timeout=60, check=False, cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (125, b"")
    assert done.stderr.startswith(b"attend: ")
