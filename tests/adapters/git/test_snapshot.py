"""The work tree as it is, as a tree."""

import os
from pathlib import Path

import pytest

from bisector.errors import UsageError
from tests.adapters.git.conftest import Opener
from tests.adapters.git.mirrors import mirror_in
from tests.helpers.repositories import Sandbox, run_git


def snapped(sandbox: Sandbox, opened: Opener, cache: Path, place: str = "") -> dict[str, tuple[str, str]]:
    """Mode and content of every entry of the snapshot."""
    tree = opened(sandbox.top / place).snapshot()
    found = {}
    for record in run_git(mirror_in(cache), "ls-tree", "-r", "-z", tree).split("\0")[:-1]:
        about, name = record.split("\t", 1)
        mode, kind, sha = about.split(" ")
        found[name] = (mode, run_git(mirror_in(cache), "cat-file", "blob", sha) if kind == "blob" else sha)
    return found


def test_a_clean_work_tree_is_the_committed_tree(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.write({"plain": "x", "deep/er/tool": "#!"})
    (sandbox.top / "deep/er/tool").chmod(0o755)
    (sandbox.top / "link").symlink_to("deep/er")
    sandbox.commit("all kinds", {})
    assert opened(sandbox.top).snapshot() == sandbox.tree("HEAD")


def test_changes_that_are_not_committed_are_in_it(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    files = {"changed": "old", "deleted": "x", "staged": "old", "kept": "x", ".gitignore": "*.o\nout/\n"}
    sandbox.commit("first", files)
    sandbox.write({"staged": "new"})
    sandbox.git("add", "staged")
    sandbox.write({"changed": "new", "staged": "newer", "untracked/file": "x", "x.o": "ignored", "out/y": "ignored"})
    (sandbox.top / "deleted").unlink()
    (sandbox.top / "kept").chmod(0o755)
    sandbox.write({"intended": "x"})
    sandbox.git("add", "--intent-to-add", "intended")
    assert snapped(sandbox, opened, cache) == {
        "changed": ("100644", "new"),
        "staged": ("100644", "newer"),
        "kept": ("100755", "x"),
        "untracked/file": ("100644", "x"),
        "intended": ("100644", "x"),
        ".gitignore": ("100644", "*.o\nout/"),
    }


def test_all_of_it_is_taken_from_a_directory_within(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("first", {"a": "x", "deep/b": "x"})
    sandbox.write({"c": "x"})
    assert set(snapped(sandbox, opened, cache, "deep")) == {"a", "deep/b", "c"}


def test_an_ignored_file_that_is_tracked_is_in_it(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("first", {"tracked.o": "x"})
    sandbox.write({".gitignore": "*.o\n", "tracked.o": "y", "other.o": "x"})
    assert set(snapped(sandbox, opened, cache)) == {"tracked.o", ".gitignore"}


def test_what_the_person_always_ignores_is_ignored(
    sandbox: Sandbox, opened: Opener, cache: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "mine").write_text("*.swp\n")
    (tmp_path / ".gitconfig").write_text(f"[core]\n\texcludesFile = {tmp_path / 'mine'}\n")
    sandbox.commit("first", {"a": "x"})
    sandbox.write({".a.swp": "x"})
    assert set(snapped(sandbox, opened, cache)) == {"a"}


def test_links_are_taken_as_links_and_never_followed(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    secret = sandbox.top.parent / "secret"
    secret.mkdir()
    (secret / "key").write_text("secret")
    sandbox.commit("first", {"was/key": "x", "a": "x"})
    (sandbox.top / "was" / "key").unlink()
    (sandbox.top / "was").rmdir()
    (sandbox.top / "was").symlink_to(secret)
    (sandbox.top / "dangling").symlink_to("nowhere\nat all")
    (sandbox.top / "file").symlink_to(secret / "key")
    assert snapped(sandbox, opened, cache) == {
        "a": ("100644", "x"),
        "was": ("120000", str(secret)),
        "dangling": ("120000", "nowhere\nat all"),
        "file": ("120000", str(secret / "key")),
    }


def test_a_file_in_place_of_a_directory_and_the_other_way(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("first", {"directory/a": "x", "file": "x"})
    (sandbox.top / "directory" / "a").unlink()
    (sandbox.top / "directory").rmdir()
    (sandbox.top / "file").unlink()
    sandbox.write({"directory": "now a file", "file/now": "a directory"})
    assert {name: content for name, (_, content) in snapped(sandbox, opened, cache).items()} == {
        "directory": "now a file",
        "file/now": "a directory",
    }


def test_what_is_no_file_is_left_out(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("first", {"pipe": "x", "a": "x"})
    (sandbox.top / "pipe").unlink()
    os.mkfifo(sandbox.top / "pipe")
    os.mkfifo(sandbox.top / "another")
    assert set(snapped(sandbox, opened, cache)) == {"a"}


def test_odd_names_are_taken(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    names = ["new\nline", "ret\r", '"quoted"', '"new\n"', "back\\slash", "\x1b[31m", "a\tb", " ", "caf\u00e9"]
    names += ["-w", "--stdin"]
    sandbox.commit("first", {"first": "x"})
    sandbox.write({name: name for name in names})
    with open(bytes(sandbox.top) + b"/\xff\n\xfe", "w") as file:
        file.write("x")
    found = snapped(sandbox, opened, cache)
    assert {name: content for name, (_, content) in found.items()} == {
        "first": "x",
        "\udcff\n\udcfe": "x",
        **{name: name for name in names},
    }


def test_files_are_taken_byte_for_byte(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    """Even where the mirror's attributes, which say so as well, say otherwise."""
    sandbox.commit("first", {"first": "x"})
    opened(sandbox.top).resolve("HEAD")
    (mirror_in(cache) / "info" / "attributes").write_text("* text\n")
    sandbox.write({".gitattributes": "* text ident\n", "dos": b"a\r\n$Id: x $\r\n"})
    assert snapped(sandbox, opened, cache)["dos"] == ("100644", "a\r\n$Id: x $\r")


def test_submodules_stay_links_and_repositories_within_stay_out(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sha = sandbox.commit("first", {"a": "x"})
    for name in ("module", "removed"):
        (sandbox.top / name).mkdir()
        sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{sha},{name}")
    Sandbox.make(sandbox.top / "module").commit("inside")
    Sandbox.make(sandbox.top / "inner").commit("inside")
    (sandbox.top / "removed").rmdir()
    assert snapped(sandbox, opened, cache) == {"a": ("100644", "x"), "module": ("160000", sha)}


def test_a_submodules_own_work_tree_can_be_taken(sandbox: Sandbox, opened: Opener, cache: Path, tmp_path: Path) -> None:
    library = Sandbox.make(tmp_path / "library")
    library.commit("first", {"a": "x"})
    sandbox.git("-c", "protocol.file.allow=always", "submodule", "--quiet", "add", str(library.top), "module")
    (sandbox.top / "module" / "b").write_text("y")
    module = Sandbox(sandbox.top / "module")
    assert snapped(module, opened, cache) == {"a": ("100644", "x"), "b": ("100644", "y")}
    assert opened(module.top).location == str(module.top)


def test_what_a_sparse_checkout_leaves_out_is_not_deleted(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first", {"in/a": "x", "out/b": "y"})
    sandbox.git("sparse-checkout", "set", "in")
    assert not (sandbox.top / "out").exists()
    assert opened(sandbox.top).snapshot() == sandbox.tree("HEAD")


def test_where_modes_do_not_count_the_index_has_them(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.write({"tool": "x", "plain": "x"})
    (sandbox.top / "tool").chmod(0o755)
    sandbox.commit("first", {})
    sandbox.git("config", "core.fileMode", "false")
    (sandbox.top / "tool").chmod(0o644)
    (sandbox.top / "plain").chmod(0o755)
    sandbox.write({"new": "x"})
    (sandbox.top / "new").chmod(0o755)
    modes = {name: mode for name, (mode, _) in snapped(sandbox, opened, cache).items()}
    assert modes == {"tool": "100755", "plain": "100644", "new": "100644"}


def test_where_links_are_files_the_index_knows_them(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    (sandbox.top / "link").symlink_to("target")
    sandbox.commit("first", {})
    sandbox.git("config", "core.symlinks", "false")
    (sandbox.top / "link").unlink()
    sandbox.write({"link": "target", "new": "x"})
    assert snapped(sandbox, opened, cache) == {"link": ("120000", "target"), "new": ("100644", "x")}


def test_an_unborn_branch_and_an_unmerged_file_are_taken(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.write({"a": "x"})
    assert snapped(sandbox, opened, cache) == {"a": ("100644", "x")}
    sandbox.commit("first", {})
    sandbox.branch("side", "HEAD")
    sandbox.commit("side", {"a": "side"})
    sandbox.switch("main")
    sandbox.commit("main", {"a": "main"})
    sandbox.git("merge", "side", fails=True)
    assert snapped(sandbox, opened, cache)["a"][1].startswith("<<<<<<<")


def test_a_linked_work_tree_is_taken_as_its_own(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("first", {"a": "x"})
    linked = sandbox.top.parent / "linked"
    sandbox.git("worktree", "add", "--quiet", "--detach", str(linked))
    (linked / "b").write_text("x")
    assert set(snapped(Sandbox(linked), opened, cache)) == {"a", "b"}
    assert set(snapped(sandbox, opened, cache)) == {"a"}


def test_a_repository_does_not_choose_which_files_are_read(sandbox: Sandbox, opened: Opener, tmp_path: Path) -> None:
    sha = sandbox.commit("first")
    (tmp_path / "private").write_text("secret")
    sandbox.git("config", "core.worktree", str(tmp_path))
    with pytest.raises(UsageError, match="no work tree"):
        opened(sandbox.top).snapshot()
    assert opened(sandbox.top).resolve("HEAD").sha == sha


def test_a_snapshot_lasts_as_long_as_it_is_pinned(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sha = sandbox.commit("first")
    sandbox.write({"new": "x"})
    repository = opened(sandbox.top)
    repository.resolve("HEAD")
    tree = repository.snapshot()
    run_git(mirror_in(cache), "gc", "--quiet", "--prune=now")
    repository.pin("job", [sha, tree])
    run_git(mirror_in(cache), "gc", "--quiet", "--prune=now")
    with repository.archive(tree) as stream:
        assert b"new" in stream.read()
    repository.unpin("job")
    run_git(mirror_in(cache), "gc", "--quiet", "--prune=now")
    assert run_git(mirror_in(cache), "cat-file", "-t", tree, fails=True) == ""


def test_nothing_is_left_of_making_it(sandbox: Sandbox, opened: Opener, cache: Path) -> None:
    sandbox.commit("first")
    opened(sandbox.top).snapshot()
    assert not list(mirror_in(cache).glob("room-*"))
    assert not (mirror_in(cache) / "index").exists()
