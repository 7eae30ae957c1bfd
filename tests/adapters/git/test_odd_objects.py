"""What old, careless, partial and hostile histories hold: let in, or refused, and told."""

from pathlib import Path

import pytest

from bisector.adapters.git.repository import GitRepository
from bisector.core.model.units import Sha, parse_sha
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, RefError, UsageError
from tests.adapters.git.conftest import Opener
from tests.helpers.repositories import Sandbox, run_git

PERSON = "A <a@example.org> 1600000000"


def planted(sandbox: Sandbox, kind: str, content: bytes) -> Sha:
    """An object that git itself would not make."""
    arguments = ("hash-object", "-t", kind, "--literally", "-w", "--stdin")
    return parse_sha(sandbox.git(*arguments, given=content))


def planted_commit(sandbox: Sandbox, tree: Sha, author: str = f"{PERSON} +0000", more: str = "") -> Sha:
    """A commit with any author line and header."""
    text = f"tree {tree}\nauthor {author}\ncommitter {PERSON} +0000\n{more}\nplanted\n"
    return planted(sandbox, "commit", text.encode())


def planted_tree(sandbox: Sandbox, mode: str, name: str, content: bytes) -> Sha:
    """A tree of one entry, with any mode and name."""
    blob = planted(sandbox, "blob", content)
    return planted(sandbox, "tree", f"{mode} {name}".encode() + b"\0" + bytes.fromhex(blob))


@pytest.mark.parametrize(
    "author",
    [
        f"{PERSON} +051800",
        "A <a@example.org> 01600000000 +0000",
        "A a@example.org> 1600000000 +0000",
        "no mail 5 +0000",
    ],
)
def test_careless_identities_of_old_histories_are_let_in(author: str, sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first")
    odd = planted_commit(sandbox, sandbox.tree("HEAD"), author)
    found = opened(sandbox.top).resolve(odd)
    assert (found.sha, found.subject) == (odd, "planted")


def test_zero_padded_modes_of_old_histories_are_let_in(sandbox: Sandbox, opened: Opener) -> None:
    odd = planted_commit(sandbox, planted_tree(sandbox, "0100644", "file", b"x"))
    assert opened(sandbox.top).resolve(odd).sha == odd


@pytest.mark.parametrize(
    ("mode", "name", "content"),
    [
        ("100644", ".gitmodules", b'[submodule "x"]\n\tpath = x\n\turl = -u./payload\n'),
        ("100644", ".gitmodules", b'[submodule "../../x"]\n\tpath = x\n\turl = https://example.org/x\n'),
        ("100644", ".gitmodules", b'[submodule "x"]\n\tpath = -x\n\turl = https://example.org/x\n'),
        ("100644", ".gitmodules", b'[submodule "x"]\n\tpath = x\n\turl = https://x/x\n\tupdate = !touch x\n'),
        ("120000", ".gitmodules", b"/etc/passwd"),
        ("100644", "..", b"x"),
        ("100644", ".git", b"x"),
        ("100644", ".GIT", b"x"),
        ("100644", "a/b", b"x"),
    ],
)
def test_what_could_harm_is_not_let_in(mode: str, name: str, content: bytes, sandbox: Sandbox, opened: Opener) -> None:
    hostile = planted_commit(sandbox, planted_tree(sandbox, mode, name, content))
    with pytest.raises(EnvironmentFault, match="could harm whoever unpacks it"):
        opened(sandbox.top).resolve(hostile)


def test_a_partial_clone_that_lacks_files_is_told_as_that(sandbox: Sandbox, opened: Opener, tmp_path: Path) -> None:
    sandbox.commit("first", {"file": "1"})
    sandbox.commit("second", {"file": "2"})
    sandbox.git("config", "uploadpack.allowFilter", "true")
    partial = tmp_path / "partial"
    sandbox.git("clone", "--quiet", "--filter=blob:none", f"file://{sandbox.top}", str(partial))
    with pytest.raises(RefError, match="partial clone") as caught:
        opened(partial).resolve("HEAD")
    run_git(partial, *caught.value.then.split("`")[1].split()[1:])
    assert opened(partial).resolve("HEAD").subject == "second"


def test_the_other_name_format_will_do(tmp_path: Path, opened: Opener) -> None:
    top = tmp_path / "source"
    top.mkdir()
    run_git(top, "init", "--quiet", "--object-format=sha256", "--initial-branch=main", "--template=")
    sandbox = Sandbox(top)
    first, second = sandbox.commits("first", "second")
    repository = opened(top)
    assert len(first) == 64
    assert repository.resolve("HEAD").parents == (first,)
    repository.pin("job", [first, second])
    assert repository.snapshot() == sandbox.tree("HEAD")
    assert repository.list_history(first, second, every_commit=True, paths=()).line.size == 1
    with repository.archive(sandbox.tree("HEAD")) as stream:
        assert b"second.txt" in stream.read()


def test_a_mirror_of_nothing_is_left_by_nobody(cache: Path, tmp_path: Path) -> None:
    GitRepository(str(tmp_path / "nothing"), cache, StopSignal())
    with pytest.raises(UsageError):
        GitRepository(str(tmp_path / "nothing"), cache, StopSignal()).resolve("main")
    assert not cache.exists()
