"""Dependencies built once and put under other builds: packages, scripts and files come with them, places do not."""

from dataclasses import replace

import pytest

from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from tests.adapters.runner.laboratory import Laboratory

INSTALL = """
import os, sys, sysconfig
packages = sysconfig.get_path("purelib")
os.makedirs(packages, exist_ok=True)
open(os.path.join(packages, "dependency.py"), "w").write("VALUE = " + open("requirements.txt").read())
open(os.path.join(packages, "there.pth"), "w").write(os.path.dirname(packages) + chr(10))
script = os.path.join(sysconfig.get_path("scripts"), "tell-dependency")
open(script, "w").write("#!" + sys.executable + chr(10) + "import sys, own; print(own.NAME, sys.prefix)" + chr(10))
os.chmod(script, 0o755)
os.makedirs("vendor", exist_ok=True)
open("vendor/installed.txt", "w").write("vendored")
open("both.txt", "w").write("the dependencies'")
"""
STEPS = ("cat > install.py <<'END'\n" + INSTALL + "\nEND\npython install.py",)
CANDIDATE = {"own.py": "NAME = 'candidate'", "both.txt": "the checkout's"}


def dependencies(lab: Laboratory, content: str = "1.0") -> Build:
    return lab.build({"requirements.txt": content}, python=True, steps=STEPS, timeout_seconds=120.0)


def on_top(lab: Laboratory, layer: Build, **files: str) -> Build:
    order = lab.order({**CANDIDATE, **files}, python=True, steps=("python -c 'import dependency'",))
    build = lab.make(replace(order, layer=layer))
    assert build.outcome is Outcome.OK, build.reason
    return build


def test_what_was_installed_is_there_and_the_checkout_comes_first(lab: Laboratory) -> None:
    build = on_top(lab, dependencies(lab))
    show = "cat vendor/installed.txt both.txt; python -c 'import dependency; print(dependency.VALUE)'"
    record = lab.run(build, "sh", "-c", show)
    assert record.stdout.decode() == "vendoredthe checkout's1.0\n"


def test_a_script_runs_in_the_environment_of_the_build(lab: Laboratory) -> None:
    layer = dependencies(lab)
    build = on_top(lab, layer)
    record = lab.run(build, "sh", "-c", "PYTHONPATH=. tell-dependency")
    name, prefix = record.stdout.decode().split()
    assert name == "candidate"
    if lab.runner.name == "local":
        assert prefix == f"{build.handle}/venv"
        assert layer.handle not in record.stdout.decode()


@pytest.mark.long_locally
def test_the_dependencies_are_not_changed_by_what_is_made_of_them(lab: Laboratory) -> None:
    layer = dependencies(lab)
    order = lab.order(CANDIDATE, python=True, steps=("echo spoilt > vendor/installed.txt",))
    assert lab.make(replace(order, layer=layer)).outcome is Outcome.OK
    record = lab.run(on_top(lab, layer), "cat", "vendor/installed.txt")
    assert record.stdout == b"vendored"


@pytest.mark.long_locally
def test_other_dependencies_make_other_content(lab: Laboratory) -> None:
    first, second = dependencies(lab), dependencies(lab, "2.0")
    one, two, again = on_top(lab, first), on_top(lab, second), on_top(lab, first)
    assert one.content is not None
    assert one.content == again.content
    assert one.content != two.content


def test_the_build_outlives_its_dependencies(lab: Laboratory) -> None:
    layer = dependencies(lab)
    build = on_top(lab, layer)
    if lab.runner.name == "local":
        lab.runner.discard(layer)
    assert lab.run(build, "python", "-c", "import dependency; print(dependency.VALUE)").stdout == b"1.0\n"
