"""A tree as a tar stream."""

import tarfile
from pathlib import Path

import pytest

from bisector.adapters.git.archive import TIME, archive
from bisector.adapters.git.command import Git, GitFailed
from bisector.adapters.git.repository import GitRepository
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled
from tests.adapters.git.conftest import Opener
from tests.adapters.git.mirrors import mirror_in
from tests.helpers.repositories import Sandbox, run_git


def unpacked(repository: GitRepository, tree: str) -> dict[str, tarfile.TarInfo]:
    """Every member of the archive; the files' contents are their `linkname`."""
    with repository.archive(tree) as stream, tarfile.open(fileobj=stream, mode="r|") as tar:
        found = {}
        for member in tar:
            content = tar.extractfile(member) if member.isreg() else None
            if content is not None:
                member.linkname = content.read().decode("latin-1")
            found[member.name] = member
        assert tar.pax_headers == {}
    return found


def taken(sandbox: Sandbox, opened: Opener) -> dict[str, tarfile.TarInfo]:
    """The archive of the sandbox's last commit."""
    repository = opened(sandbox.top)
    return unpacked(repository, repository.resolve("HEAD").tree)


def test_every_file_comes_with_its_mode_one_time_and_one_owner(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.write({"plain": "x", "deep/er/tool": "#!", "empty": "", "dots/.hidden": "x", ".gitignore": "nothing"})
    (sandbox.top / "deep/er/tool").chmod(0o700)
    (sandbox.top / "link").symlink_to("/etc/passwd")
    sandbox.commit("all kinds", {})
    found = taken(sandbox, opened)
    assert {name: (oct(member.mode), member.type) for name, member in found.items()} == {
        "plain": ("0o644", tarfile.REGTYPE),
        "empty": ("0o644", tarfile.REGTYPE),
        ".gitignore": ("0o644", tarfile.REGTYPE),
        "dots": ("0o755", tarfile.DIRTYPE),
        "dots/.hidden": ("0o644", tarfile.REGTYPE),
        "deep": ("0o755", tarfile.DIRTYPE),
        "deep/er": ("0o755", tarfile.DIRTYPE),
        "deep/er/tool": ("0o755", tarfile.REGTYPE),
        "link": ("0o777", tarfile.SYMTYPE),
    }
    assert found["link"].linkname == "/etc/passwd"
    assert {member.mtime for member in found.values()} == {TIME}
    assert {(member.uid, member.gid, member.uname, member.gname) for member in found.values()} == {
        (0, 0, "root", "root")
    }


def test_no_attribute_drops_or_rewrites_a_file(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    attributes = """\
*.crlf text eol=crlf
* ident export-subst working-tree-encoding=UTF-16 filter=shout
tests export-ignore
docs/** export-ignore
*.secret export-ignore
[attr]dropped export-ignore
dropped.txt dropped
"""
    files = {
        "unix.crlf": b"a\nb\n",
        "dos": b"a\r\nb\r\n",
        "ident": b"$Id$ $Format:%H$\n",
        "binary": b"\0\xff\r\n",
        "tests/test.py": b"x\n",
        "docs/a/b": b"x\n",
        "my.secret": b"x\n",
        "dropped.txt": b"x\n",
    }
    sandbox.commit("files", files)
    hostile = {".gitattributes": attributes, "docs/.gitattributes": "* export-ignore -text ident\n"}
    for name, text in hostile.items():
        blob = sandbox.git("hash-object", "-w", "--stdin", given=text.encode())
        sandbox.git("update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
    sandbox.git("commit", "--quiet", "-m", "attributes")
    opened(sandbox.top).resolve("HEAD")
    run_git(mirror_in(cache), "config", "filter.shout.smudge", "tr a-z A-Z")
    found = taken(sandbox, opened)
    contents = {name: member.linkname.encode("latin-1") for name, member in found.items() if member.isreg()}
    assert contents == files | {name: text.encode() for name, text in hostile.items()}


def test_long_and_odd_names_come_through(sandbox: Sandbox, opened: Opener) -> None:
    long = "/".join(["x" * 60] * 4)
    odd = ["new\nline", "tab\t", "\x1b[31m", "-rf", "caf\u00e9", " ", 'quote"', "back\\slash", "GNUSparseFile.0"]
    sandbox.commit("names", dict.fromkeys([long, *odd], "x"))
    found = taken(sandbox, opened)
    assert {long, *odd} <= set(found)
    assert {member.mtime for member in found.values()} == {TIME}


def test_names_that_are_no_utf8_come_through(sandbox: Sandbox, opened: Opener) -> None:
    (sandbox.top / "first").write_text("x")
    with open(bytes(sandbox.top) + b"/\xff\xfe", "w") as file:
        file.write("x")
    sandbox.commit("names", {})
    assert "\udcff\udcfe" in taken(sandbox, opened)


def test_equal_trees_give_equal_bytes(sandbox: Sandbox, opened: Opener) -> None:
    first = sandbox.commit("first", {"a": "x"})
    sandbox.commit("second", {"a": "y"})
    third = sandbox.commit("third", {"a": "x"})
    repository = opened(sandbox.top)
    streams = []
    for sha in (first, third):
        with repository.archive(repository.resolve(sha).tree) as stream:
            streams.append(stream.read())
    assert streams[0] == streams[1]


def test_large_files_and_pointers_stay_as_they_were_committed(sandbox: Sandbox, opened: Opener) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"
    large = bytes(range(256)) * 40_000
    attributes = "*.bin filter=lfs diff=lfs merge=lfs\n"
    sandbox.commit("files", {"big.bin": pointer, ".gitattributes": attributes, "large": large})
    found = taken(sandbox, opened)
    assert found["big.bin"].linkname == pointer
    assert found["large"].linkname.encode("latin-1") == large


def test_submodules_are_empty_directories(sandbox: Sandbox, opened: Opener) -> None:
    sha = sandbox.commit("first", {"a": "x"})
    sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{sha},vendor/library")
    sandbox.git("commit", "--quiet", "-m", "submodule")
    found = taken(sandbox, opened)
    assert found["vendor/library"].isdir()
    assert set(found) == {"a", "vendor", "vendor/library"}


def test_an_empty_tree_is_an_empty_archive(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("nothing", {})
    assert taken(sandbox, opened) == {}


def test_a_tree_that_is_not_there_is_an_error(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first")
    repository = opened(sandbox.top)
    repository.resolve("HEAD")
    with pytest.raises(GitFailed, match="not a valid"), repository.archive("1" * 40):
        pass
    with pytest.raises(ValueError, match="not a full object name"), repository.archive("HEAD"):
        pass


def test_a_damaged_object_never_gives_a_shorter_archive(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    files = {f"f{number}": bytes([number]) * 100_000 for number in range(20)}
    sandbox.commit("files", files)
    tree = sandbox.tree("HEAD")
    repository = opened(sandbox.top)
    repository.resolve("HEAD")
    lost = sandbox.sha("HEAD:f15")
    git = Git(directory=mirror_in(cache), git_dir=mirror_in(cache), stop=StopSignal())
    pack = next((mirror_in(cache) / "objects" / "pack").glob("*.pack"))
    kept = pack.rename(pack.with_name("moved"))
    pack.with_suffix(".idx").unlink()
    git.run("unpack-objects", "-q", given=kept.read_bytes())
    (mirror_in(cache) / "objects" / lost[:2] / lost[2:]).unlink()
    with archive(git, tree) as stream:
        assert len(stream.read(100_000)) == 100_000
        with pytest.raises(GitFailed, match=lost):
            stream.read()


def test_stopping_ends_the_archive(sandbox: Sandbox, cache: Path) -> None:
    sandbox.commit("large", {"large": bytes(5_000_000)})
    stop = StopSignal()
    repository = GitRepository(str(sandbox.top), cache, stop)
    with repository.archive(repository.resolve("HEAD").tree) as stream:
        stream.read(512)
        stop.set("a test asked")
        with pytest.raises(Cancelled):
            stream.read()


def test_reading_only_a_part_is_no_error(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("large", {"large": bytes(5_000_000)})
    repository = opened(sandbox.top)
    with repository.archive(repository.resolve("HEAD").tree) as stream:
        assert len(stream.read(512)) == 512
