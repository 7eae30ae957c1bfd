"""The whole tool over a hostile history: the exact answer, and a machine that is as it was."""

import json
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

import pytest

from tests.helpers.installs import BASE_IMAGE, Done, Install, install_at, need_engine
from tests.helpers.repositories import Sandbox
from tests.hostile.deeds import BOMBS, DEEDS, LINGER, LONG_BOMBS, SURVIVED, Deed
from tests.hostile.history import (
    HARMFUL_MODULES,
    REF,
    REFUSED_MODULES,
    SCRIPT,
    make_dockerfiles,
    make_history,
    make_modules,
    make_named,
    write_scenario,
)
from tests.hostile.surroundings import Watch, unharmed
from tests.report.checks import hidden_characters, page_problems

pytestmark = [pytest.mark.slow, pytest.mark.xdist_group("hostile")]

SHORT_IN_DOCKER = (LINGER, "leaves a server behind", "has a name that no file system holds")
"""Of those that the local runner is shown, what a container could make different."""


def searched(install: Install, top: Path, deeds: Mapping[str, Deed], runner: str) -> tuple[Sandbox, Done, Watch]:
    """A bisect of a history of such commits."""
    top.mkdir()
    watch = Watch()
    repository = make_history(top / "repository", deeds)
    fence = "fenced" if runner == "docker" else "open"
    scenario = write_scenario(top / "scenario", BASE_IMAGE, fence, watch.mark, watch.port)
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", runner, "--no-profile")
    with unharmed(top, watch, install if runner == "docker" else None):
        done = install.bisect(*where, "--", "good", REF)
    assert watch.saw_processes, "the mark by which processes are found is none"
    return repository, done, watch


def check(repository: Sandbox, done: Done, deeds: Mapping[str, Deed]) -> None:
    """Nobody is named who could not be tested, each for its reason; what strangers wrote runs nowhere."""
    untestable = {name: deed for name, deed in deeds.items() if deed.outcome != "ok"}
    assert (done.code, done.result["verdict"]) == (0, "culprit_set"), done.out + done.err
    (found,) = done.result["culprits"]
    assert len(found["set"]) == len(untestable) + 1
    told = done.result["untestable"]
    assert [each["outcome"] for each in told] == [deed.outcome for deed in untestable.values()], told
    for each, deed in zip(told, untestable.values(), strict=True):
        assert deed.reason in each["reason"]
        assert len(each["reason"]) < 300
    # A run that got out of its box would have told a hundred times as much.
    assert [done.result["ends"][end]["median"] for end in ("good", "bad")] == [1.0, 2.0]
    assert repository.git("status", "--porcelain") == ""
    check_shown(done)


def check_shown(done: Done) -> None:
    """The report, the result and what was printed are small, and hold nothing that a browser or a terminal obeys."""
    report = next(each["path"] for each in done.result["artifacts"] if each["kind"] == "report")
    page = Path(report).read_text()
    result = json.dumps(done.result, ensure_ascii=False)
    if len(done.result["artifacts"]) == 1:  # a page with flame graphs has a program of ours
        assert page_problems(page) == []
    for text in (page, done.out, done.err, result):
        assert hidden_characters(text) == set()
    assert SCRIPT not in page
    assert not any("root:x:0" in text for text in (page, done.out, done.err, result))
    assert max(len(page), len(result), len(done.out), len(done.err)) < 1_000_000


@pytest.mark.docker
@pytest.mark.parametrize("much", ["short", pytest.param("long", marks=pytest.mark.long)])
def test_in_docker_no_commit_gets_out_of_its_box(tmp_path: Path, much: str) -> None:
    need_engine()
    deeds = {**BOMBS, **DEEDS}
    if much == "short":
        deeds = {name: deed for name, deed in BOMBS.items() if name not in LONG_BOMBS}
        deeds |= {name: DEEDS[name] for name in SHORT_IN_DOCKER}
    assert next(iter(deeds)) == SURVIVED, "what is tested ends the set, and must not stand within it"
    with install_at(tmp_path / "install", engine=True) as install:
        repository, done, watch = searched(install, tmp_path / "mine", deeds, "docker")
    check(repository, done, deeds)
    assert not watch.saw_sockets, "a server in a box is on no network of this machine"


@pytest.mark.docker
@pytest.mark.long
def test_a_commits_own_dockerfile_does_not_reach_the_engines_files_where_it_is_built(tmp_path: Path) -> None:
    """Which is where the scenario says `candidate_dockerfile` alone: in all others nobody reads it."""
    need_engine()
    top = tmp_path / "mine"
    top.mkdir()
    repository = make_dockerfiles(top / "repository", BASE_IMAGE)
    scenario = write_scenario(top / "scenario", BASE_IMAGE, "fenced") / "scenario.toml"
    named = scenario.read_text().replace(f'image = "{BASE_IMAGE}"', 'candidate_dockerfile = "Dockerfile"')
    scenario.write_text(named)
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "docker", "--no-profile")
    with install_at(tmp_path / "install", engine=True) as install, unharmed(top, engine=install):
        done = install.bisect("good", "main", *where)
    assert (done.code, done.result["verdict"]) == (0, "culprit_set"), done.out + done.err
    (told,) = done.result["untestable"]
    assert told["outcome"] == "build_failed"
    assert told["reason"].startswith("the Dockerfile failed: ")
    check_shown(done)


@pytest.mark.parametrize("much", ["short", pytest.param("long", marks=pytest.mark.long)])
def test_on_this_machine_what_yields_nothing_sound_blames_nobody(tmp_path: Path, much: str) -> None:
    deeds = {name: deed for name, deed in DEEDS.items() if much == "long" or name != LINGER}
    with install_at(tmp_path / "install") as install:
        repository, done, watch = searched(install, tmp_path / "mine", deeds, "local")
    check(repository, done, deeds)
    assert watch.saw_sockets, "the port by which sockets are found is none"


@pytest.mark.long
def test_names_that_mean_harm_are_text_in_a_profile(tmp_path: Path) -> None:
    top = tmp_path / "mine"
    top.mkdir()
    repository = make_named(top / "repository")
    scenario = write_scenario(top / "scenario", BASE_IMAGE, "open")
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "local")
    with install_at(tmp_path / "install") as install, unharmed(top):
        done = install.bisect("good", "bad", *where)
    assert any("document.title" in f"{each['function']} {each['file']}" for each in done.culprit["suspects"])
    check_shown(done)
    written = {(each["kind"], each["side"]): Path(each["path"]).read_text() for each in done.result["artifacts"]}
    frames = json.loads(written["speedscope", "after"])["shared"]["frames"]
    assert any(SCRIPT in each["name"] for each in frames), "the profile does not show what is to do no harm"
    assert any(SCRIPT in each.get("file", "") for each in frames)
    drawn = ElementTree.fromstring(written["diff", None])
    assert not any(node.tag.endswith("script") for node in drawn.iter())
    for text in (written["diff", None], written["flamegraph", None]):
        assert SCRIPT not in text
        assert hidden_characters(text) == set()
        assert len(text) < 1_000_000


@pytest.mark.parametrize("attack", HARMFUL_MODULES)
def test_a_history_that_harms_who_unpacks_it_is_not_taken(tmp_path: Path, attack: str) -> None:
    top = tmp_path / "mine"
    top.mkdir()
    repository = make_history(top / "repository", {})
    repository.commit("modules", {".gitmodules": HARMFUL_MODULES[attack]})
    with install_at(tmp_path / "install") as install, unharmed(top):
        done = install.bisect("good", "main", "--repo", repository.top, "--runner", "local", "--", "true")
    assert done.code == 5
    assert "could harm whoever unpacks it" in done.err
    assert SCRIPT not in done.err


def test_a_submodule_is_fetched_from_nowhere_it_must_not(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each address is refused that is a command, a file or leads out, though the operator allows everything; what may
    be fetched lands in a tree of ours, whatever path it is to have, and is never run."""
    top = tmp_path / "mine"
    top.mkdir()
    repository = make_modules(top)
    scenario = write_scenario(top / "scenario", BASE_IMAGE, "open")
    monkeypatch.setenv("BISECTOR_SUBMODULE_URLS", json.dumps(["ext::", "file://", "/"]))
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "local", "--no-profile")
    with install_at(tmp_path / "install") as install, unharmed(top):
        done = install.bisect("good", "main", *where)
    assert (done.code, done.result["verdict"]) == (0, "culprit_set"), done.out + done.err
    reasons = [each["reason"] for each in done.result["untestable"]]
    assert len(reasons) == len(REFUSED_MODULES) + 1
    assert all(each.startswith("the submodule b cannot be had: ") for each in reasons[:-1]), reasons
    assert "is longer than file systems take" in reasons[-1]
    check_shown(done)


@pytest.mark.parametrize(
    "name", ["--upload-pack=touch /tmp/hostile", "-x", "ext::sh -c touch% /tmp/hostile", "a\x1b[31m"]
)
def test_a_commit_with_a_name_like_an_option_is_an_unknown_commit(tmp_path: Path, name: str) -> None:
    top = tmp_path / "mine"
    top.mkdir()
    repository = make_history(top / "repository", {})
    scenario = write_scenario(top / "scenario", BASE_IMAGE, "open")
    where = ("--repo", repository.top, "--scenario", scenario, "--runner", "local")
    with install_at(tmp_path / "install") as install, unharmed(top):
        done = install.bisect(*where, "--", "good", name)
    assert done.code == 2
    assert "names no commit" in done.err
    assert hidden_characters(done.out + done.err) == set()
    assert "Traceback" not in done.err
