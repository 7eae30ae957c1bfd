"""Histories that fight back, for real: commits that need a patch, a flaky build, submodules and Git LFS."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.entry.conftest import Cli
from tests.helpers.installs import BASE_IMAGE, install_at, need_engine
from tests.helpers.repositories import Sandbox, everything_in

BENCH = 'import json; from lib import LEVEL; print(json.dumps({"seconds": LEVEL}))'
SCENARIO = """
name = "hard"
[build]
image = "%s"
steps = ["%s"]
%s
[run]
command = ["python3", "{scenario}/bench.py"]
env = {PYTHONPATH = "{source}"}
timeout_seconds = 30
warmup_runs = 0
[[metrics]]
name = "seconds"
exact = true
"""
SIZE, BROKEN, SLOW = 17, range(6, 13), 9


def scenario(tmp_path: Path, build: str = "", step: str = "true", **files: str) -> Path:
    made = tmp_path / "hard"
    made.mkdir()
    (made / "scenario.toml").write_text(SCENARIO % (BASE_IMAGE, step, build))
    for name, text in {"bench.py": BENCH, **files}.items():
        (made / name).write_text(text)
    return made


def lib(number: int) -> str:
    return f"LEVEL = {1.0 if number < SLOW else 1.5}\n"


def history(at: Path, *, broken: bool = True) -> Sandbox:
    """Seventeen commits, the tenth of which raises LEVEL; those in the middle do not build as they are."""
    made = Sandbox.make(at)
    for number in range(SIZE):
        check = "import gone_away\n" if broken and number in BROKEN else "import json\n"
        made.commit(f"Change {number}", {"lib.py": lib(number), "number.txt": str(number), "check.py": check})
    made.git("tag", "good", f"HEAD~{SIZE - 1}")
    made.git("tag", "bad", "HEAD")
    return made


def fix(made: Sandbox) -> str:
    """A patch that makes the broken commits build, as `git diff` makes it."""
    made.git("checkout", "--quiet", f"HEAD~{SIZE - 1 - BROKEN[0]}")
    made.write({"check.py": "import json\n"})
    patch = made.git("diff")
    made.git("checkout", "--quiet", "--force", "main")
    return f"{patch}\n"


def bisect(cli: Cli, tmp_path: Path, named: Path) -> dict[str, Any]:
    where = ("--repo", tmp_path / "git", "--scenario", named, "--runner", "local")
    done = cli("bisect", "good", "bad", *where, "--no-profile", "--json", "-")
    assert done.out, done.err
    found: dict[str, Any] = json.loads(done.out)
    return found


def report(cli: Cli, tmp_path: Path, job: object) -> str:
    cli("report", str(job), "--report", tmp_path / "report")
    return (tmp_path / "report" / "report.md").read_text().replace("`", "").replace("\\", "")


@pytest.mark.long
def test_without_the_patch_the_answer_is_a_set(cli: Cli, tmp_path: Path) -> None:
    history(tmp_path / "git")
    found = bisect(cli, tmp_path, scenario(tmp_path, step="python3 check.py"))
    assert (found["verdict"], found["reason"]) == ("culprit_set", "untestable")
    assert len(found["culprits"][0]["set"]) == len(BROKEN) + 1
    assert found["patches"] == []


def patched(tmp_path: Path, made: Sandbox) -> Path:
    fixed = {"fix.patch": fix(made)}
    return scenario(tmp_path, 'patches = [{file = "fix.patch"}]', "python3 check.py", **fixed)


def check_patched(made: Sandbox, found: Mapping[str, Any]) -> None:
    assert (found["verdict"], found["culprits"][0]["subject"]) == ("culprit", f"Change {SLOW}")
    (patch,) = found["patches"]
    broken = {made.sha(f"bad~{SIZE - 1 - number}") for number in BROKEN}
    assert patch["file"] == "fix.patch"
    assert {made.sha(f"bad~{SIZE - 1 - SLOW}")} <= set(patch["commits"]) <= broken


def test_a_patch_gets_the_search_through_a_stretch_that_does_not_build(cli: Cli, tmp_path: Path) -> None:
    made = history(tmp_path / "git")
    named = patched(tmp_path, made)
    before = everything_in(made.top)
    found = bisect(cli, tmp_path, named)
    check_patched(made, found)
    assert everything_in(made.top) == before
    assert "built with the patch" in report(cli, tmp_path, found["job"])


@pytest.mark.long
@pytest.mark.docker
@pytest.mark.slow
def test_a_patch_gets_the_search_through_in_docker(tmp_path: Path) -> None:
    need_engine()
    made = history(tmp_path / "git")
    with install_at(tmp_path / "install", engine=True) as install:
        where = ("--repo", made.top, "--scenario", patched(tmp_path, made), "--runner", "docker", "--no-profile")
        check_patched(made, install.bisect("good", "bad", *where).result)


@pytest.mark.long
def test_a_patch_for_always_makes_commits_untestable_that_it_does_not_fit(cli: Cli, tmp_path: Path) -> None:
    made = history(tmp_path / "git")
    always = 'patches = [{file = "fix.patch", when = "always"}]'
    found = bisect(cli, tmp_path, scenario(tmp_path, always, **{"fix.patch": fix(made)}))
    assert found["untestable"]
    assert all("fix.patch does not apply" in each["reason"] for each in found["untestable"])


@pytest.mark.long
def test_another_patch_is_another_build(cli: Cli, tmp_path: Path) -> None:
    made = history(tmp_path / "git")
    named = scenario(tmp_path, 'patches = [{file = "fix.patch"}]', "python3 check.py", **{"fix.patch": "nothing"})
    where = ("--repo", tmp_path / "git", "--scenario", named, "--runner", "local")
    refused = cli("bisect", "good", "bad", *where, "--no-profile")
    assert refused.code == 2
    assert "git cannot read the patch" in refused.err
    (named / "fix.patch").write_text(fix(made))
    assert bisect(cli, tmp_path, named)["culprits"][0]["subject"] == f"Change {SLOW}"


@pytest.mark.parametrize("command", ["check", "bisect"])
def test_a_patch_that_is_not_there_is_told_at_once(cli: Cli, tmp_path: Path, command: str) -> None:
    history(tmp_path / "git")
    named = scenario(tmp_path, 'patches = [{file = "fix.patch"}]')
    where = ("good", "bad", "--repo", tmp_path / "git", "--scenario", named, "--runner", "local")
    done = cli("scenario", "check", named) if command == "check" else cli("bisect", *where)
    assert done.code == 2
    assert "there is no file 'fix.patch'" in done.err


def test_a_patch_lies_below_the_scenario(cli: Cli, tmp_path: Path) -> None:
    done = cli("scenario", "check", scenario(tmp_path, 'patches = [{file = "../fix.patch"}]'))
    assert done.code == 2
    assert "no path below the scenario's directory" in done.err


def flaky(tmp_path: Path, number: int) -> str:
    """A step that fails the first time it builds commit `number`."""
    return f"test -e {tmp_path}/tried || ! grep -qx {number} number.txt || (touch {tmp_path}/tried; exit 1)"


LESS_LIKELY = [pytest.param(number, marks=pytest.mark.long) for number in (0, SLOW - 1, SIZE - 1)]


@pytest.mark.parametrize("number", [SLOW, *LESS_LIKELY])
def test_a_build_that_fails_once_does_not_decide_the_answer(cli: Cli, tmp_path: Path, number: int) -> None:
    history(tmp_path / "git", broken=False)
    found = bisect(cli, tmp_path, scenario(tmp_path, step=flaky(tmp_path, number)))
    assert (tmp_path / "tried").exists()
    assert (found["verdict"], found["culprits"][0]["subject"]) == ("culprit", f"Change {SLOW}")
    assert found["ends"]["good"]["commit"] == found["good"]
    assert found["ends"]["bad"]["commit"] == found["bad"]
    assert found["untestable"] == []
    assert "1 failed build that the answer hangs on was made once more" in report(cli, tmp_path, found["job"])
    assert cli("jobs", "log", found["job"], "--replay").code == 0


def module_history(tmp_path: Path) -> Sandbox:
    """A repository with a submodule of documentation, which changes now and then, and one file kept by Git LFS."""
    library = Sandbox.make(tmp_path / "library")
    made = Sandbox.make(tmp_path / "git")
    attributes, named = "*.png filter=lfs\n", f'[submodule "docs"]\n\tpath = docs\n\turl = {library.top}\n'
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"
    for number in range(SIZE):
        at = library.commit(f"Page {number}", {"page.txt": str(number)})
        made.write({".gitattributes": attributes, "a.png": pointer, ".gitmodules": named})
        made.write({"lib.py": lib(number), "number.txt": str(number)})
        made.git("add", ".gitattributes", "a.png", ".gitmodules", "lib.py", "number.txt")
        made.git("update-index", "--add", "--cacheinfo", f"160000,{at},docs")
        made.git("commit", "--quiet", "-m", f"Change {number}")
    made.git("tag", "good", f"HEAD~{SIZE - 1}")
    made.git("tag", "bad", "HEAD")
    return made


@pytest.mark.long
def test_a_submodule_that_nobody_builds_with_is_no_obstacle_and_is_told(cli: Cli, tmp_path: Path) -> None:
    module_history(tmp_path)
    found = bisect(cli, tmp_path, scenario(tmp_path, step='test -z \\"$(ls docs)\\"'))
    assert (found["verdict"], found["culprits"][0]["subject"]) == ("culprit", f"Change {SLOW}")
    told = report(cli, tmp_path, found["job"])
    assert "Not in what was built: submodule docs and Git LFS file a.png" in told


@pytest.mark.long
def test_a_build_that_misses_its_submodule_says_what_it_misses(cli: Cli, tmp_path: Path) -> None:
    module_history(tmp_path)
    found = bisect(cli, tmp_path, scenario(tmp_path, step="cat docs/page.txt"))
    assert found["verdict"] == "failed"
    assert "not in the checkout: submodule docs" in found["untestable"][0]["reason"]


@pytest.mark.parametrize(("key", "kind"), [("submodules", "submodule docs"), ("lfs", "Git LFS file a.png")])
def test_what_is_refused_makes_a_commit_untestable(cli: Cli, tmp_path: Path, key: str, kind: str) -> None:
    module_history(tmp_path)
    found = bisect(cli, tmp_path, scenario(tmp_path, f'{key} = "refuse"'))
    assert found["verdict"] == "failed"
    assert f"the checkout wants the {kind}, which the scenario refuses" in found["untestable"][0]["reason"]


@pytest.mark.long
def test_a_submodule_is_fetched_where_scenario_and_settings_say_so(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module_history(tmp_path)
    named = scenario(tmp_path, 'submodules = "fetch"', "cmp docs/page.txt number.txt")
    refused = bisect(cli, tmp_path, named)
    assert refused["verdict"] == "failed"
    assert "which the setting submodule_urls does not allow" in refused["untestable"][0]["reason"]
    monkeypatch.setenv("BISECTOR_SUBMODULE_URLS", json.dumps([str(tmp_path / "library")]))
    found = bisect(cli, tmp_path, named)
    assert (found["verdict"], found["culprits"][0]["subject"]) == ("culprit", f"Change {SLOW}")


def moved_modules(tmp_path: Path) -> tuple[Sandbox, str]:
    """A repository whose fourth commit moves its submodule by nine commits; the one of those that raises LEVEL."""
    library, made = Sandbox.make(tmp_path / "library"), Sandbox.make(tmp_path / "git")
    pages = [library.commit(f"Page {n}", {"lib.py": lib(n), "page.txt": str(n)}) for n in range(12)]
    named = f'[submodule "part"]\n\tpath = vendor/part\n\turl = {library.top}\n'
    for number in range(6):
        made.write({".gitmodules": named} if number == 3 else {".gitmodules": named, "number.txt": str(number)})
        made.git("add", ".gitmodules", "number.txt")
        made.git("update-index", "--add", "--cacheinfo", f"160000,{pages[11 if number >= 3 else 2]},vendor/part")
        made.git("commit", "--quiet", "-m", f"Change {number}")
    made.git("tag", "good", "HEAD~5")
    made.git("tag", "bad", "HEAD")
    return made, pages[SLOW]


def test_a_submodule_that_went_on_is_searched_inside(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _, slow = moved_modules(tmp_path)
    monkeypatch.setenv("BISECTOR_SUBMODULE_URLS", json.dumps([str(tmp_path)]))
    named = scenario(tmp_path, 'submodules = "fetch"')
    text = (named / "scenario.toml").read_text()
    (named / "scenario.toml").write_text(text.replace('PYTHONPATH = "{source}"', 'PYTHONPATH = "{source}/vendor/part"'))
    found = bisect(cli, tmp_path, named)
    (culprit,) = found["culprits"]
    assert (culprit["subject"], culprit["kind"]) == ("Change 3", "submodule")
    parts = found["parts"]
    assert (parts["kind"], parts["answer"], parts["of"]) == ("submodules", "one", 9)
    (commit,) = parts["commits"]
    assert (commit["commit"], commit["subject"]) == (slow, f"Page {SLOW}")
    assert (commit["submodule"], commit["remote"]) == ("vendor/part", str(tmp_path / "library"))
    assert len(parts["sets"]) <= 4, "a search, not one after the other"
    assert (
        f"commit {slow[:10]} (Page {SLOW}) in submodule vendor/part ({tmp_path / 'library'}) makes +50.0 %"
        in (found["sentence"])
    )
    assert f"in submodule vendor/part ({tmp_path / 'library'})" in report(cli, tmp_path, found["job"])
