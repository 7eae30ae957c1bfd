"""Contract: a run finds nothing of what was before it, and leaves nothing but its record."""

import json
from pathlib import Path

import pytest

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from tests.adapters.runner.laboratory import Laboratory, marker, processes

REPORT = "import json, os; print(json.dumps(dict(os.environ)))"


def test_files_asked_for_come_back(lab: Laboratory, plain: Build) -> None:
    script = "mkdir {out}/deep; echo 1 > {out}/a.json; printf 'x\\000y' > {out}/deep/b; echo 3 > {out}/c"
    record = lab.run(plain, "sh", "-c", script, collect=("a.json", "deep/b"))
    assert record.files == {"a.json": b"1\n", "deep/b": b"x\0y"}


@pytest.mark.parametrize(
    ("script", "why"),
    [
        ("ln -s /etc/passwd {out}/r", "it is a link"),
        ("ln -s /etc {out}/d", "Not a directory"),
        ("mkfifo {out}/r", "it is not a regular file"),
        ("mkdir {out}/r", "it is not a regular file"),
        ("truncate -s 17M {out}/r", "it is over 16 MiB"),
        (":", "it was not written"),
    ],
)
def test_only_regular_files_below_out_come_back(lab: Laboratory, plain: Build, script: str, why: str) -> None:
    name = "d/passwd" if "/d" in script else "r"
    record = lab.run(plain, "sh", "-c", script, collect=(name,))
    assert (record.outcome, dict(record.files)) == (Outcome.OK, {})
    assert record.reason == f"{name}: {why}"


def test_out_home_and_temporary_files_are_new_in_every_run(lab: Laboratory, plain: Build) -> None:
    places = 'for at in {out} "$HOME" "$TMPDIR"; do'
    script = f"{places} ls -A $at; done; {places} mkdir -p $at/a/b; echo x > $at/a/b/c; chmod 0 $at/a/b $at/a; done"
    with lab.session(plain, "sh", "-c", script) as session:
        first, second = session.run(), session.run()
    assert (first.outcome, second.outcome) == (Outcome.OK, Outcome.OK)
    assert (first.stdout, second.stdout) == (b"", b"")


@pytest.mark.long_locally
def test_a_tree_of_any_depth_is_no_obstacle(lab: Laboratory, plain: Build) -> None:
    script = "import os\nos.chdir('{out}')\nfor _ in range(3000): os.mkdir('d'); os.chdir('d')\nprint('deep')"
    with lab.session(plain, "python3", "-c", script) as session:
        assert [session.run().stdout, session.run().stdout] == [b"deep\n", b"deep\n"]


def test_every_run_is_a_process_of_its_own(lab: Laboratory, plain: Build) -> None:
    script = "ls -A {out}; echo $$ > {out}/mark; echo $$"
    with lab.session(plain, "sh", "-c", script) as session:
        assert session.run().stdout != session.run().stdout


def test_nothing_leaks_in_from_outside(lab: Laboratory, plain: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    monkeypatch.setenv("BISECTOR_LEAK", "x")
    record = lab.run(plain, "python3", "-c", REPORT, env={"OURS": "{source}/a", "JSON": '{"k": 1}'})
    seen = json.loads(record.stdout)
    assert (seen.pop("OURS").rpartition("/")[2], seen.pop("JSON")) == ("a", '{"k": 1}')
    allowed = {"PATH", "HOME", "TMPDIR", "LANG", "USER", "LOGNAME", "HOSTNAME", "LC_CTYPE", "VIRTUAL_ENV"}
    # The one is set by the base image itself; the other says where a tool chain lies, where there is one.
    assert set(seen) - allowed <= {"PIP_BREAK_SYSTEM_PACKAGES", "RUSTUP_HOME"}


def test_words_in_braces_are_filled_in_command_and_environment(lab: Laboratory, plain: Build) -> None:
    scenario = lab.scenario({"bench.sh": "echo from the scenario"})
    script = 'cat {source}/hello.txt; sh {scenario}/bench.sh; echo "$AT"; pwd; echo x > {out}/y; echo ${HOME:+home}'
    record = lab.run(plain, "sh", "-c", script, scenario=scenario, env={"AT": "{scenario}/z"}, collect=("y",))
    lines = record.stdout.decode().splitlines()
    assert (lines[:2], lines[4]) == (["hello", "from the scenario"], "home")
    assert (Path(lines[2]).name, Path(lines[3]).name) == ("z", "source")
    assert record.files == {"y": b"x\n"}


def test_the_scenario_wins_over_what_the_candidate_calls_the_same(lab: Laboratory) -> None:
    ours = {"bench.py": "print('ours')\n", "scenario.toml": "ours"}
    theirs = {name: text.replace("ours", "theirs") for name, text in ours.items()}
    theirs |= {f"scenario/{name}": text for name, text in theirs.items()}
    replace = "echo \"print('theirs')\" > {scenario}/bench.py || true; rm -f {scenario}/scenario.toml || true"
    order = lab.order(theirs, scenario=ours, python=True, steps=(replace,))
    build = lab.make(order)
    record = lab.run(
        build, "sh", "-c", "python3 {scenario}/bench.py; cat {scenario}/scenario.toml", scenario=order.files
    )
    assert record.stdout == b"ours\nours"


def test_background_processes_end_with_the_run(lab: Laboratory, plain: Build) -> None:
    mark = marker()
    script = f"sleep {mark} & setsid sleep {mark} & (setsid sh -c 'sleep {mark}; :' &) ; sleep 0.2; echo $(pgrep -c .)"
    with lab.session(plain, "sh", "-c", script) as session:
        before = session.container
        assert session.run().outcome is Outcome.OK
        assert processes(mark) == []
        assert session.container == before, "they were ended, not left behind with their container"


def test_a_time_out_reaches_grandchildren_and_daemons(lab: Laboratory, plain: Build) -> None:
    mark = marker()
    daemon = f"import os\nif os.fork() == 0:\n os.setsid()\n if os.fork() == 0: os.execvp('sleep', ['sleep', '{mark}'])"
    script = f'python3 -c "{daemon}"; sh -c \'sh -c "sleep {mark}; :"; :\'; :'
    with lab.session(plain, "sh", "-c", script, timeout_seconds=1.0) as session:
        assert session.run().outcome is Outcome.TIMEOUT
        assert processes(mark) == []


def test_a_place_of_its_own_for_every_run_if_asked(lab: Laboratory, plain: Build) -> None:
    with lab.session(plain, "true", fresh="run") as session:
        assert session.container
        assert [session.run().outcome, session.run().outcome] == [Outcome.OK, Outcome.OK]


def test_the_container_named_is_the_one_the_next_run_is_in(lab: Laboratory, plain: Build) -> None:
    with lab.session(plain, "true") as session:
        before = session.container
        session.run()
        assert session.container == before
