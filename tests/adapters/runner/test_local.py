"""What is the local runner's own: unpacking a stranger's archive, virtual environments, what a host's crash leaves."""

import io
import json
import os
import tarfile
from pathlib import Path

import pytest

from bisector.adapters.local.build import MANY_MODULES
from bisector.adapters.local.environment import run_env
from bisector.adapters.local.extract import extract
from bisector.adapters.local.runner import LocalRunner
from bisector.core.model.builds import Build
from bisector.core.model.samples import Outcome
from bisector.errors import InfraFault, ScenarioError
from tests.adapters.runner.laboratory import Laboratory, archive_of
from tests.adapters.runner.requests import request_for
from tests.helpers.wheels import wheel_of

CASES: dict[str, list[tuple[str, bytes, str]]] = {
    "a path that climbs": [("../escaped", tarfile.REGTYPE, "")],
    "a path that climbs within": [("a/../../escaped", tarfile.REGTYPE, "")],
    "an absolute path": [("/tmp/bisector-escaped", tarfile.REGTYPE, "")],
    "a file through a link": [("d", tarfile.SYMTYPE, ".."), ("d/escaped", tarfile.REGTYPE, "")],
    "a file through a chain of links": [
        ("a", tarfile.DIRTYPE, ""),
        ("a/b", tarfile.SYMTYPE, ".."),
        ("c", tarfile.SYMTYPE, "a/b/.."),
        ("c/escaped", tarfile.REGTYPE, ""),
    ],
    "a link to a directory that is then a directory": [
        ("d", tarfile.SYMTYPE, ".."),
        ("d", tarfile.DIRTYPE, ""),
        ("d/escaped", tarfile.REGTYPE, ""),
    ],
    "a link out": [("escaped", tarfile.SYMTYPE, "/etc/passwd")],
    "a link out by a chain": [("a/b", tarfile.SYMTYPE, ".."), ("escaped", tarfile.SYMTYPE, "a/b/../x")],
    "a hard link": [("escaped", tarfile.LNKTYPE, "/etc/passwd")],
    "a device": [("escaped", tarfile.CHRTYPE, "")],
    "a pipe": [("escaped", tarfile.FIFOTYPE, "")],
    "a file twice": [("a", tarfile.REGTYPE, ""), ("a", tarfile.REGTYPE, "")],
    "a file below a file": [("a", tarfile.REGTYPE, ""), ("a/b", tarfile.REGTYPE, "")],
    "the directory itself as a file": [(".", tarfile.REGTYPE, "")],
}


def archive(members: list[tuple[str, bytes, str]]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as tar:
        for name, kind, link in members:
            member = tarfile.TarInfo(name)
            member.type, member.linkname = kind, link
            tar.addfile(member)
    return made.getvalue()


@pytest.mark.parametrize("case", CASES)
def test_nothing_leaves_the_checkout(case: str, tmp_path: Path) -> None:
    target = tmp_path / "one" / "source"
    target.mkdir(parents=True)
    left_out = extract(io.BytesIO(archive(CASES[case])), target)
    assert left_out, "it is said"
    said = any(note.endswith(": leads out of the checkout") for note in left_out)
    assert said is ("climbs" in case or "absolute" in case)
    outside = [path for path in tmp_path.rglob("*") if target not in (path, *path.parents)]
    assert outside == [tmp_path / "one"]
    assert not Path("/tmp/bisector-escaped").exists()
    for path in target.rglob("*"):
        assert path.resolve().is_relative_to(target.resolve())
        assert path.is_file() or path.is_dir()


def test_what_belongs_is_unpacked_as_it_is(tmp_path: Path) -> None:
    members = [("a/b/c", tarfile.REGTYPE, ""), ("a/up", tarfile.SYMTYPE, "../x"), ("./x", tarfile.REGTYPE, "")]
    assert extract(io.BytesIO(archive([*members, ("dangling", tarfile.SYMTYPE, "not/there")])), tmp_path) == []
    assert os.readlink(tmp_path / "a" / "up") == "../x"
    assert (tmp_path / "a" / "up").resolve() == (tmp_path / "x").resolve()
    assert (tmp_path / "x").stat().st_mtime == 0
    assert (tmp_path / "x").stat().st_mode & 0o777 == 0o644


def test_what_is_left_out_is_in_the_log(local_lab: Laboratory) -> None:
    order = local_lab.order({})
    order = type(order)(
        **{**{f: getattr(order, f) for f in order.__slots__}, "source": archive_of(archive(CASES["a link out"]))}
    )
    build = local_lab.make(order)
    assert "left out: escaped: a link that leads out of the checkout, to /etc/passwd" in Path(build.log).read_text()


def test_pip_works_in_the_builds_own_environment_and_nowhere_else(local_lab: Laboratory) -> None:
    step = "pip --version && python -m pip --version && pip list --format=freeze > list && which pip > which"
    build = local_lab.build({"a": ""}, steps=(step,), python=True)
    assert local_lab.run(build, "cat", "which").stdout.decode().strip() == f"{build.handle}/venv/bin/pip"
    refused = local_lab.make(local_lab.order({"a": ""}, steps=("python3 -m pip install --no-index no-such",)))
    assert refused.outcome is Outcome.BUILD_FAILED
    assert "Could not find an activated virtualenv" in refused.reason or "No module named pip" in refused.reason


def test_what_a_build_does_to_the_pip_it_was_given_stays_its_own(local_lab: Laboratory) -> None:
    """All builds are given one copy: a newer pip of a build's own is used there and nowhere else."""
    given = "python -c 'import pip; print(pip.__file__)' > where && pip --version > version"
    wheel = dict([wheel_of("pip", "99.0", "")])
    upgrade = "python -m pip install --quiet --no-index --root-user-action=ignore --upgrade ./*.whl"
    own = local_lab.build(wheel, steps=(upgrade, "python -c 'import pip; print(pip.__file__)' > where"), python=True)
    others = local_lab.build({"a": ""}, steps=(given,), python=True)
    assert local_lab.run(own, "cat", "where").stdout.decode().startswith(f"{own.handle}/venv/lib/")
    assert not local_lab.run(others, "cat", "where").stdout.decode().startswith(f"{others.handle}/")
    assert "pip 99" not in local_lab.run(others, "cat", "version").stdout.decode()
    assert own.packages is not None
    assert others.packages is not None
    assert own.packages["python:pip"] == "99.0" != others.packages["python:pip"]
    assert len(list(Path(others.handle, "venv").rglob("*.py"))) == 0


def test_a_package_built_apart_sees_nothing_of_what_the_environment_was_given(local_lab: Laboratory) -> None:
    """pip leaves out, in an environment that it makes for building, what is installed beside it."""
    backend = (
        "def build_wheel(directory, settings=None, metadata=None):\n"
        "    import importlib.util, sys\n"
        "    found = importlib.util.find_spec('setuptools') or importlib.util.find_spec('pip')\n"
        "    sys.exit(f'seen: {found.origin}' if found else 'seen: nothing')\n"
    )
    project = "[build-system]\nrequires = []\nbuild-backend = 'backend'\nbackend-path = ['.']\n"
    files = {"pyproject.toml": project, "backend.py": backend}
    build = local_lab.make(local_lab.order(files, steps=("pip install --no-index .",), python=True))
    assert build.outcome is Outcome.BUILD_FAILED
    assert "seen: nothing" in Path(build.log).read_text()


@pytest.mark.parametrize("modules", [1, MANY_MODULES - 1, MANY_MODULES])
def test_every_module_is_compiled_however_many_there_are(local_lab: Laboratory, modules: int) -> None:
    build = local_lab.build({f"lib/m{number}.py": "" for number in range(modules)}, python=True)
    compiled = Path(build.handle).glob("source/lib/__pycache__/*.pyc")
    assert len(list(compiled)) == modules


def test_a_build_that_did_not_reach_the_disk_whole_is_made_again(local_lab: Laboratory) -> None:
    """The mark did, the files did not: told after the machine's next start."""
    order = local_lab.order({"a": "content\n"})
    build = local_lab.make(order)
    mark = Path(build.handle) / "complete"
    told = json.loads(mark.read_text())
    mark.write_text(json.dumps({**told, "boot": "an earlier one"}))
    assert local_lab.runner.holds(build)
    assert json.loads(mark.read_text()) == told
    mark.write_text(json.dumps({**told, "boot": "an earlier one"}))
    (Path(build.handle) / "source" / "a").write_text("")
    assert not local_lab.runner.holds(build)
    assert local_lab.make(order).reused is False


@pytest.mark.parametrize("text", ["", "{}", "[]", "\0"])
def test_a_mark_that_is_none_marks_nothing(local_lab: Laboratory, text: str) -> None:
    build = local_lab.build({"a": ""})
    (Path(build.handle) / "complete").write_text(text)
    assert not local_lab.runner.holds(build)


def test_a_failed_build_leaves_its_log_only(local_lab: Laboratory, cache: Path) -> None:
    order = local_lab.order({"a": ""}, steps=("false",))
    assert local_lab.make(order).outcome is Outcome.BUILD_FAILED
    assert not (cache / "builds" / order.key).exists()
    assert order.log.exists()


def test_a_read_only_tree_can_be_discarded(local_lab: Laboratory) -> None:
    build = local_lab.build({"a/b/c": ""}, steps=("chmod -R a-w a; chmod 0 a/b; mkdir d; ln -s /etc d/etc",))
    local_lab.runner.discard(build)
    assert not Path(build.handle).exists()
    assert Path("/etc/passwd").exists()
    assert list(Path(build.handle).parent.glob(".doomed*")) == []


def test_what_a_killed_discard_left_is_swept(local_lab: Laboratory, cache: Path) -> None:
    local_lab.runner.sweep()
    (cache / "builds" / ".doomed-1" / "a").mkdir(parents=True)
    assert local_lab.runner.sweep() == 1
    assert not (cache / "builds" / ".doomed-1").exists()


def test_proxies_and_certificates_are_for_building_only(cache: Path, local_lab: Laboratory) -> None:
    runner = LocalRunner(cache, host_env={"PATH": os.environ["PATH"], "https_proxy": "http://proxy:1", "SECRET": "x"})
    lab = Laboratory(runner=runner, image_id=None, root=local_lab.root)
    build = lab.build({"a": ""}, steps=("env > env",))
    built = lab.run(build, "cat", "env").stdout.decode()
    assert "https_proxy=http://proxy:1\n" in built
    assert "SECRET" not in built
    assert b"proxy" not in lab.run(build, "env").stdout
    lab.clean()


def test_a_changed_scenario_is_put_back_and_said(local_lab: Laboratory) -> None:
    order = local_lab.order(
        {"a": ""}, scenario={"bench.sh": "echo ours\n"}, steps=("echo echo theirs > {scenario}/bench.sh",)
    )
    build = local_lab.make(order)
    assert "they are put back" in Path(build.log).read_text()
    assert local_lab.run(build, "sh", "{scenario}/bench.sh", scenario=order.files).stdout == b"ours\n"
    (Path(build.handle) / "scenario" / "bench.sh").write_text("echo later\n")
    assert local_lab.run(build, "sh", "{scenario}/bench.sh", scenario=order.files).stdout == b"ours\n"


def test_dockerfiles_are_for_docker(local_lab: Laboratory) -> None:
    with pytest.raises(ScenarioError, match="only be built with Docker"):
        local_lab.make(local_lab.order({"a": ""}, dockerfile="Dockerfile"))


def test_a_build_that_is_gone_is_the_machines_fault(local_lab: Laboratory) -> None:
    with pytest.raises(InfraFault, match="is gone"):
        local_lab.run(Build(key="e" * 64, outcome=Outcome.OK, handle="/nowhere"), "true")


def test_the_environment_is_told(local_lab: Laboratory) -> None:
    request = request_for(local_lab.runner.name, None)
    seen = local_lab.runner.environment(request)
    assert seen == local_lab.runner.environment(request)
    assert seen.details["isolation"] == "none"
    assert "CPython 3." in seen.toolchain
    assert "glibc" in seen.toolchain


def test_scratch_directories_go_with_the_session(local_lab: Laboratory, cache: Path) -> None:
    build = local_lab.build({"a": ""})
    with local_lab.session(build, "sh", "-c", "echo x > {out}/x; echo $HOME $TMPDIR {out}") as session:
        places = session.run().stdout.decode().split()
        assert len(set(places)) == 3
    assert not any(Path(place).exists() for place in places)
    assert local_lab.runner.sweep() == 0


def test_tool_chains_that_are_found_through_the_users_home_are_found(tmp_path: Path) -> None:
    """`cargo` of rustup is a link to a program that looks up, in the home, which tool chain is meant."""

    def seen(host: dict[str, str]) -> str | None:
        return run_env(host, tmp_path / "venv", tmp_path / "home", tmp_path / "tmp").get("RUSTUP_HOME")

    user = {"HOME": str(tmp_path / "user")}
    assert seen(user) is None
    (tmp_path / "user" / ".rustup").mkdir(parents=True)
    assert seen(user) == str(tmp_path / "user" / ".rustup")
    assert seen({**user, "RUSTUP_HOME": "/opt/rustup"}) == "/opt/rustup"
    assert seen({}) is None
