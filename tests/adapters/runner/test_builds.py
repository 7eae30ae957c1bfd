"""Contract: from a tree to something that runs, with a log, a digest and an outcome."""

import threading
from dataclasses import replace
from pathlib import Path

import pytest

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.errors import InfraFault
from tests.adapters.runner.laboratory import Laboratory, marker, wait_until_gone


def test_steps_run_one_after_the_other_in_the_checkout(lab: Laboratory) -> None:
    steps = ("cat a.txt > made.txt", "echo two >> made.txt; cd /", "pwd > where.txt")
    build = lab.build({"a.txt": "one\n"}, steps=steps)
    assert lab.run(build, "cat", "made.txt").stdout == b"one\ntwo\n"
    assert lab.run(build, "sh", "-c", "cat where.txt; pwd").stdout.split(b"\n")[0].endswith(b"source")


def test_words_in_braces_are_filled_in_steps_and_their_environment(lab: Laboratory) -> None:
    steps = ("cp {scenario}/x.c made.c; echo $AT >> made.c; echo x > {out}/y; cat {out}/y >> {source}/made.c",)
    order = lab.order({"a": ""}, scenario={"x.c": "int x;\n"}, steps=steps, env={"AT": "{source}"})
    build = lab.make(order)
    lines = lab.run(build, "cat", "made.c", scenario=order.files).stdout.decode().splitlines()
    assert (lines[0], Path(lines[1]).name, lines[2]) == ("int x;", "source", "x")


def test_a_build_is_told_the_layout_that_is_its_own(lab: Laboratory) -> None:
    steps = ("echo {layout} $BISECTOR_LAYOUT $PAD > layout",)
    told = [replace(lab.order({"a": ""}, steps=steps, env={"PAD": "-{layout}"}), layout=each) for each in (0, 77)]
    first, afresh = (lab.make(order) for order in told)
    assert lab.run(first, "sh", "-c", "cat layout; echo [$BISECTOR_LAYOUT]").stdout == b"0 0 -0\n[]\n"
    assert lab.run(afresh, "cat", "layout").stdout == b"77 77 -77\n"
    assert first.content != afresh.content


def test_a_c_benchmark_is_compiled_against_the_candidate(lab: Laboratory) -> None:
    bench = '#include <stdio.h>\n#include "answer.h"\nint main(void) { printf("%d\\n", ANSWER); }\n'
    order = lab.order(
        {"include/answer.h": "#define ANSWER 42\n"},
        scenario={"bench.c": bench},
        steps=("cc -O2 -I include -o bench {scenario}/bench.c",),
    )
    assert lab.run(lab.make(order), "./bench", scenario=order.files).stdout == b"42\n"


def test_a_recipe_without_steps_yields_a_build(lab: Laboratory) -> None:
    build = lab.build({"main.py": "print('as it is')"}, python=True)
    assert lab.run(build, "python3", "main.py").stdout == b"as it is\n"
    assert Path(build.log).exists()


def test_the_build_environment_does_not_reach_the_run(lab: Laboratory) -> None:
    build = lab.build({"a": ""}, steps=("echo $FLAG > flag",), env={"FLAG": "for building"})
    assert lab.run(build, "sh", "-c", "cat flag; echo [$FLAG]").stdout == b"for building\n[]\n"


def test_a_failing_step_is_named_and_its_log_kept(lab: Laboratory) -> None:
    steps = ("echo fine", "echo some words; echo the cause >&2; exit 3", "echo never")
    order = lab.order({"a": ""}, steps=steps)
    build = lab.make(order)
    assert (build.outcome, build.handle, build.content) == (Outcome.BUILD_FAILED, "", None)
    shown = "step 2 of 3 (echo some words; echo the cause >&2; exit 3)"
    assert build.reason == f"{shown} failed: exit status 3: the cause"
    log = Path(build.log).read_text()
    assert "+ echo fine\nfine\n" in log
    assert "some words\nthe cause\n" in log
    assert "+ echo never" not in log
    assert not lab.runner.holds(build)
    assert lab.runner.size(build) == 0


def test_a_build_past_its_limit_timed_out(lab: Laboratory) -> None:
    mark = marker()
    build = lab.make(lab.order({"a": ""}, steps=("true", f"setsid sleep {mark}; :"), timeout_seconds=1.5))
    assert build.outcome is Outcome.TIMEOUT
    assert build.reason.endswith("was not done when the build's 1.5 s were over")
    wait_until_gone(mark, seconds=2.0)


def test_what_a_step_leaves_running_does_not_hold_the_build(lab: Laboratory) -> None:
    mark = marker()
    build = lab.build({"a": ""}, steps=(f"sleep {mark} & setsid sleep {mark} & echo started",), timeout_seconds=20.0)
    assert build.seconds < 15
    wait_until_gone(mark, seconds=2.0)


def test_a_long_log_keeps_its_beginning_and_its_end(lab: Laboratory) -> None:
    steps = ("echo the beginning; yes 'no end to it' | head -c 30000000; echo the end",)
    log = Path(lab.build({"a": ""}, steps=steps).log).read_bytes()
    assert 9 << 20 < len(log) < 11 << 20
    assert b"\nthe beginning\n" in log
    assert b"the end\n[step 1 of 1" in log
    assert b"bytes left out ...]" in log


@pytest.mark.long_locally
def test_equal_content_has_one_digest(lab: Laboratory) -> None:
    files, steps = {"a.py": "x = 1\n", "b/c.py": "y = 2\n"}, ("cp a.py made.py; ln -s a.py link",)
    digests = [lab.build(files, steps=steps, python=True).content for _ in range(2)]
    assert digests[0] == digests[1] is not None


def test_different_content_has_another(lab: Laboratory) -> None:
    files = {"a.py": "x = 1\n", "b/c.py": "y = 2\n"}
    variants = (
        "cp a.py made.py; ln -s a.py link",
        "cp a.py made.py; ln -s a.py link; echo >> made.py",
        "cp a.py made2.py; ln -s a.py link",
        "cp a.py made.py; ln -s b link",
        "cp a.py made.py; ln -s a.py link; chmod +x made.py",
    )
    assert len({lab.build(files, steps=(step,)).content for step in variants}) == len(variants)


@pytest.mark.long_locally
@pytest.mark.slow
def test_a_package_installed_twice_is_equal(lab: Laboratory) -> None:
    project = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    backend = (
        "import zipfile\n"
        "def build_wheel(directory, *_):\n"
        "    name = 'pkg-1-py3-none-any.whl'\n"
        "    with zipfile.ZipFile(f'{directory}/{name}', 'w') as made:\n"
        "        made.write('pkg.py')\n"
        "        made.writestr('pkg-1.dist-info/METADATA', 'Metadata-Version: 2.1\\nName: pkg\\nVersion: 1\\n')\n"
        "        made.writestr('pkg-1.dist-info/WHEEL', 'Wheel-Version: 1.0\\nTag: py3-none-any\\n')\n"
        "        made.writestr('pkg-1.dist-info/entry_points.txt', '[console_scripts]\\npkg = pkg:main\\n')\n"
        "        made.writestr('pkg-1.dist-info/RECORD', '')\n"
        "    return name\n"
    )
    files = {"pyproject.toml": project, "backend.py": backend, "pkg.py": "def main():\n    print(__name__)\n"}
    builds = [lab.build(files, steps=("pip install --no-index .",), python=True) for _ in range(2)]
    assert builds[0].content == builds[1].content
    assert lab.run(builds[0], "pkg").stdout == b"pkg\n"


def test_byte_code_is_made_beforehand(lab: Laboratory) -> None:
    """The candidate's, the scenario's and the standard library's (which official images come without)."""
    bench = "import json, os, helper, pkg\nfor m in (pkg, helper, json): print(os.path.exists(m.__cached__))\n"
    order = lab.order(
        {"pkg.py": "x = 1\n", "broken.py": "x = (\n"}, scenario={"bench.py": bench, "helper.py": ""}, python=True
    )
    build = lab.make(order)
    record = lab.run(
        build, "python3", "-B", "{scenario}/bench.py", scenario=order.files, env={"PYTHONPATH": "{source}"}
    )
    assert record.stdout == b"True\nTrue\nTrue\n"


def test_the_same_key_is_built_once(lab: Laboratory) -> None:
    order = lab.order({"a": ""}, steps=("date +%N > made",))
    first, second = lab.make(order), lab.make(order)
    assert (first.reused, second.reused) == (False, True)
    assert (first.handle, first.content) == (second.handle, second.content)


def test_two_who_want_the_same_build_share_it(lab: Laboratory) -> None:
    order = lab.order({"a": ""}, steps=("sleep 0.5",))
    builds: list[Build] = []
    threads = [threading.Thread(target=lambda: builds.append(lab.make(order))) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(build.reused for build in builds) == [False, True]


def test_a_build_is_held_until_it_is_discarded(lab: Laboratory) -> None:
    build = lab.build({"a": ""}, steps=("head -c 3000000 /dev/urandom > made",))
    assert lab.runner.holds(build)
    assert 3_000_000 <= lab.runner.size(build) < 3_500_000
    lab.runner.discard(build)
    assert not lab.runner.holds(build)
    assert lab.runner.size(build) == 0
    lab.runner.discard(build)
    with pytest.raises(InfraFault), lab.session(build, "true"):
        pass


def test_a_build_in_use_is_not_taken_away(lab: Laboratory) -> None:
    build = lab.build({"a": ""})
    with lab.session(build, "true") as session:
        with pytest.raises(InfraFault):
            lab.runner.discard(build)
        assert session.run().outcome is Outcome.OK
    assert lab.runner.holds(build)
