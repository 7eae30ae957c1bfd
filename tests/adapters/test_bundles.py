"""Evidence bundles: what is written comes back, and nothing that a stranger packs has any effect."""

import gzip
import io
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bisector.adapters import bundles
from bisector.adapters.bundles import packed_scenario, read_bundle, unpack_scenario, write_bundle
from bisector.adapters.git.repository import GitRepository
from bisector.adapters.git.transplant import unbundled
from bisector.engine.stop import StopSignal
from bisector.errors import UsageError
from tests.helpers.repositories import Sandbox, everything_in

NAMES = st.sampled_from(["bundle.json", "facts.jsonl", "history.bundle", "scenario/bench.py", "scenario/data/a b.txt"])


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.dictionaries(NAMES, st.binary(max_size=300)))
def test_what_is_written_is_read(tmp_path: Path, members: dict[str, bytes]) -> None:
    write_bundle(tmp_path / "b.tar.gz", members)
    assert read_bundle(tmp_path / "b.tar.gz") == members
    assert [path.name for path in tmp_path.iterdir()] == ["b.tar.gz"]


def packed(path: Path, *members: tarfile.TarInfo) -> Path:
    with tarfile.open(path, "w:gz") as bundle:
        for member in members:
            bundle.addfile(member, io.BytesIO(b"x" * member.size) if member.isreg() else None)
    return path


def info(name: str, size: int = 1, kind: bytes = tarfile.REGTYPE, link: str = "") -> tarfile.TarInfo:
    member = tarfile.TarInfo(name)
    member.size, member.type, member.linkname, member.mode = size if not link else 0, kind, link, 0o4777
    return member


@pytest.mark.parametrize(
    "member",
    [
        info("../outside"),
        info("/etc/outside"),
        info("scenario/../../outside"),
        info("scenario/./a"),
        info("scenario//a"),
        info("scenario/.git/config"),
        info("scenario"),
        info("scenario/a\\..\\b"),
        info("scenario/\x1b[2J"),
        info("scenario/" + "a" * 500),
        info("unheard.of"),
        info("bundle.json", kind=tarfile.SYMTYPE, link="/etc/passwd"),
        info("scenario/a", kind=tarfile.SYMTYPE, link="../../.."),
        info("scenario/a", kind=tarfile.LNKTYPE, link="bundle.json"),
        info("scenario/a", 0, tarfile.CHRTYPE),
        info("scenario/a", 0, tarfile.FIFOTYPE),
        info("scenario/a", 0, tarfile.DIRTYPE),
    ],
    ids=lambda member: f"{member.name[:24]!r} {member.type!r}",
)
def test_what_no_bundle_holds_is_refused(tmp_path: Path, member: tarfile.TarInfo) -> None:
    path = packed(tmp_path / "b.tar.gz", info("bundle.json"), member)
    before = everything_in(tmp_path)
    with pytest.raises(UsageError, match="holds what none holds"):
        read_bundle(path)
    assert everything_in(tmp_path) == before


def test_a_member_twice_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError):
        read_bundle(packed(tmp_path / "b.tar.gz", info("bundle.json"), info("bundle.json")))


def test_too_much_is_refused_by_what_it_says_of_its_size(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bundles, "MOST_BYTES", 1000)
    with pytest.raises(UsageError, match="too much"):
        read_bundle(packed(tmp_path / "b.tar.gz", info("bundle.json", 600), info("facts.jsonl", 600)))
    claimed = info("bundle.json", 1 << 50).tobuf()
    (tmp_path / "claimed.tar.gz").write_bytes(gzip.compress(claimed))
    with pytest.raises(UsageError, match="too much"):
        read_bundle(tmp_path / "claimed.tar.gz")
    monkeypatch.setattr(bundles, "MOST_MEMBERS", 3)
    many = [info(f"scenario/{number}", 0) for number in range(5)]
    with pytest.raises(UsageError, match="too much"):
        read_bundle(packed(tmp_path / "many.tar.gz", *many))


DAMAGE: dict[str, Callable[[bytes], bytes]] = {
    "nothing": lambda _: b"",
    "no archive": lambda _: b"hello" * 100,
    "cut": lambda whole: whole[: len(whole) // 2],
    "no tar in it": lambda _: gzip.compress(b"hello" * 1000),
}


@pytest.mark.parametrize("damage", DAMAGE)
def test_a_damaged_bundle_is_said_to_be(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "b.tar.gz"
    write_bundle(path, {"bundle.json": bytes(range(256)) * 40, "facts.jsonl": b"x" * 4000})
    path.write_bytes(DAMAGE[damage](path.read_bytes()))
    with pytest.raises(UsageError, match="cannot be read"):
        read_bundle(path)


def test_the_scenarios_files_come_back_where_they_were(tmp_path: Path) -> None:
    kept, new = tmp_path / "kept", tmp_path / "new"
    (kept / "data").mkdir(parents=True)
    (kept / "bench.py").write_text("print(1)\n")
    (kept / "data" / "a b").write_bytes(b"\0")
    new.mkdir()
    unpack_scenario({"bundle.json": b"", **dict(packed_scenario(kept))}, new)
    names = sorted(path.relative_to(new).as_posix() for path in new.rglob("*") if path.is_file())
    assert names == ["bench.py", "data/a b"]
    assert (new / "data" / "a b").read_bytes() == b"\0"
    assert dict(packed_scenario(None)) == {}


def test_two_trees_travel_as_a_history_and_nothing_else_does(tmp_path: Path) -> None:
    sandbox = Sandbox.make(tmp_path / "repository")
    sandbox.commit("Secret", {"secret": "s3cr3t\n"})
    sandbox.git("rm", "--quiet", "secret")
    old = sandbox.commit("Old", {"a": "a\n"})
    new = sandbox.commit("New", {"a": "b\n", "c/d": "d\n"})
    source = GitRepository(str(sandbox.top), tmp_path / "cache", StopSignal())
    trees = [source.resolve(name).tree for name in (old, new)]
    (tmp_path / "history.bundle").write_bytes(source.bundled(*trees))
    unbundled(tmp_path / "there", tmp_path / "history.bundle", StopSignal())
    there = GitRepository(str(tmp_path / "there"), tmp_path / "cache", StopSignal())
    assert [there.resolve(name).tree for name in ("parent", "culprit")] == trees
    assert sandbox.git("-C", str(tmp_path / "there"), "rev-list", "--all", "--count") == "2"
    objects = sandbox.git("-C", str(tmp_path / "there"), "cat-file", "--batch-all-objects", "--batch-check")
    assert sandbox.sha("HEAD~2:secret") not in objects
    assert sandbox.git("-C", str(source._mirror.path), "for-each-ref", "refs/bundle") == ""


def test_a_history_that_could_harm_whoever_unpacks_it_is_refused(tmp_path: Path) -> None:
    sandbox = Sandbox.make(tmp_path / "repository")
    blob = sandbox.git("hash-object", "-w", "--stdin", given=b"evil")
    inner = sandbox.git("mktree", given=f"100644 blob {blob}\tconfig\n".encode())
    evil = b"40000 .git\0" + bytes.fromhex(inner)
    tree = sandbox.git("hash-object", "-w", "-t", "tree", "--literally", "--stdin", given=evil)
    commit = sandbox.git("commit-tree", "-m", "x", tree)
    for ref in ("parent", "culprit"):
        sandbox.git("update-ref", f"refs/bundle/{ref}", commit)
    sandbox.git("bundle", "create", str(tmp_path / "h"), "refs/bundle/parent", "refs/bundle/culprit")
    with pytest.raises(UsageError, match="cannot be used"):
        unbundled(tmp_path / "there", tmp_path / "h", StopSignal())


@pytest.mark.parametrize("content", [b"", b"hello\n", b"# v2 git bundle\n" + b"0" * 40 + b" refs/bundle/parent\n\n"])
def test_what_is_no_history_is_said_to_be_none(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "h").write_bytes(content)
    with pytest.raises(UsageError, match="cannot be used"):
        unbundled(tmp_path / "there", tmp_path / "h", StopSignal())
