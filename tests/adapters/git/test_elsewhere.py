"""Submodules and Git LFS: told, left out, and fetched only from where the operator allows."""

from pathlib import Path

import pytest

from bisector.errors import RefError
from tests.adapters.git.conftest import Opener
from tests.helpers.repositories import Sandbox, run_git

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n"


def with_module(sandbox: Sandbox, library: Sandbox, url: str = "", path: str = "vendor/library") -> str:
    """A commit of `sandbox` that refers to the head of `library`; its tree."""
    named = f'[submodule "x"]\n\tpath = {path}\n\turl = {url or library.top}\n'
    sandbox.write({".gitmodules": named, "a": "x"})
    sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{library.sha('HEAD')},{path}")
    sandbox.git("add", ".gitmodules", "a")
    sandbox.git("commit", "--quiet", "-m", "with a submodule")
    return sandbox.tree("HEAD")


@pytest.fixture
def library(tmp_path: Path) -> Sandbox:
    """A repository that others have as a submodule."""
    made = Sandbox.make(tmp_path / "library")
    made.commit("one", {"lib.py": "LEVEL = 1\n", "deep/file": "deep\n"})
    return made


def files(sandbox: Sandbox, opened: Opener, tree: str, **settings: object) -> list[str]:
    """The names in `tree` with its submodules, in the mirror."""
    repository = opened(sandbox.top, **settings)
    repository.resolve("HEAD")
    whole = repository.with_submodules(tree)
    return run_git(repository._mirror.path, "ls-tree", "-r", "--name-only", whole).splitlines()


def test_what_a_tree_refers_to_is_told(sandbox: Sandbox, library: Sandbox, opened: Opener) -> None:
    attributes = "*.bin filter=lfs diff=lfs merge=lfs\n"
    sandbox.commit("first", {"data/big.bin": POINTER, "data/.gitattributes": attributes, "small": "x" * 200})
    tree = with_module(sandbox, library)
    repository = opened(sandbox.top)
    repository.resolve("HEAD")
    found = repository.elsewhere(tree)
    assert (found.submodules, found.lfs) == (("vendor/library",), ("data/big.bin",))


def test_a_text_like_a_pointer_is_none_where_nothing_is_kept_by_lfs(sandbox: Sandbox, opened: Opener) -> None:
    sandbox.commit("first", {"explained.txt": POINTER})
    repository = opened(sandbox.top)
    assert repository.elsewhere(repository.resolve("HEAD").tree).lfs == ()


def test_an_allowed_submodule_is_put_into_the_tree(sandbox: Sandbox, library: Sandbox, opened: Opener) -> None:
    tree = with_module(sandbox, library)
    found = files(sandbox, opened, tree, submodule_urls=(str(library.top.parent),))
    assert found == [".gitmodules", "a", "vendor/library/deep/file", "vendor/library/lib.py"]


def test_branches_of_a_submodule_do_not_become_those_of_the_repository(
    sandbox: Sandbox, library: Sandbox, opened: Opener
) -> None:
    tree = with_module(sandbox, library)
    library.git("branch", "theirs")
    repository = opened(sandbox.top, submodule_urls=(str(library.top),))
    ours = repository.resolve("main").sha
    repository.with_submodules(tree)
    assert repository.resolve("main").sha == ours
    with pytest.raises(RefError):
        repository.resolve("theirs")


@pytest.mark.parametrize("url", ["../library", "./../library"])
def test_a_relative_address_is_seen_from_the_repository(
    sandbox: Sandbox, library: Sandbox, opened: Opener, url: str
) -> None:
    tree = with_module(sandbox, library, url)
    assert "vendor/library/lib.py" in files(sandbox, opened, tree, submodule_urls=(str(library.top),))


@pytest.mark.parametrize(
    ("url", "allowed"),
    [
        ("", ()),
        ("", ("{top}/elsewhere",)),
        ("{top}/library/../library", ("{top}/lib",)),
        ("https://example.org/library", ("https://example.org/lib", "https://other.org/")),
        ("https://example.org/team/../library", ("https://example.org/team",)),
        ("ext::sh -c 'touch ran'", ("ext::", "/")),
        ("file:///etc", ("/", "file://")),
        ("../../../../../../../../../../../../library", ("/",)),
    ],
)
def test_what_the_settings_do_not_allow_is_not_reached_for(
    sandbox: Sandbox, library: Sandbox, opened: Opener, url: str, allowed: tuple[str, ...]
) -> None:
    top = str(library.top.parent)
    tree = with_module(sandbox, library, url.format(top=top))
    with pytest.raises(RefError, match="the submodule vendor/library cannot be had"):
        files(sandbox, opened, tree, submodule_urls=tuple(place.format(top=top) for place in allowed))


def test_a_submodule_without_an_address_says_so(sandbox: Sandbox, opened: Opener) -> None:
    sha = sandbox.commit("first", {"a": "x"})
    sandbox.git("update-index", "--add", "--cacheinfo", f"160000,{sha[::-1]},vendor/library")
    sandbox.git("commit", "--quiet", "-m", "a submodule of nowhere")
    with pytest.raises(RefError, match=r"has no address in \.gitmodules"):
        files(sandbox, opened, sandbox.tree("HEAD"), submodule_urls=("/",))


def test_a_commit_that_the_submodule_has_no_more_says_so(sandbox: Sandbox, library: Sandbox, opened: Opener) -> None:
    tree = with_module(sandbox, library)
    library.git("commit", "--quiet", "--amend", "-m", "rewritten")
    library.git("reflog", "expire", "--expire=now", "--all")
    library.git("gc", "--quiet", "--prune=now")
    with pytest.raises(RefError, match="the submodule vendor/library cannot be had"):
        files(sandbox, opened, tree, submodule_urls=(str(library.top),))


def test_submodules_of_submodules_stay_out(sandbox: Sandbox, library: Sandbox, opened: Opener, tmp_path: Path) -> None:
    inner = Sandbox.make(tmp_path / "inner")
    inner.commit("inner", {"i": "i"})
    with_module(library, inner, path="nested")
    tree = with_module(sandbox, library)
    found = files(sandbox, opened, tree, submodule_urls=(str(tmp_path),))
    assert "vendor/library/nested" in found
    assert "vendor/library/nested/i" not in found


def planted(sandbox: Sandbox, mode: str, path: str, content: bytes) -> str:
    """The tree of a commit with one more entry, which git checks out for nobody."""
    sandbox.commit("first", {"a": "x"})
    blob = sandbox.git("hash-object", "-w", "--stdin", given=content)
    sandbox.git("update-index", "-z", "--add", "--index-info", given=f"{mode} {blob}\t{path}\0".encode())
    sandbox.git("commit", "--quiet", "-m", "planted")
    return sandbox.tree("HEAD")


@pytest.mark.parametrize(
    ("mode", "path", "content", "why"),
    [
        ("100644", "n" * 256, b"x", f"the name {'n' * 60}… is longer than file systems take"),
        ("100644", f"a b/{'ö' * 128}/c", b"x", f"the name a b/{'ö' * 56}… is longer than file systems take"),
        ("100644", "/".join(["deep"] * 800), b"x", f"the name {'deep/' * 12}… is longer than file systems take"),
        ("100644", "n" * 1_000_000, b"x", f"the name {'n' * 60}… is longer than file systems take"),
        ("120000", "link", b"x" * 4096, "the link link leads to what can be no name"),
        ("120000", "link", b"x" * 200 + b"\0y", "the link link leads to what can be no name"),
        ("120000", "link", b"", "the link link leads to what can be no name"),
        ("100644", f"{'n' * 255}/{'m' * 255}", b"\0", ""),
        ("120000", "link", b"x" * 3000, ""),
    ],
    ids=["name", "directory", "path", "megabyte", "target", "zero byte", "nothing", "longest names", "long target"],
)
def test_a_tree_that_no_file_system_holds_is_told(
    mode: str, path: str, content: bytes, why: str, sandbox: Sandbox, opened: Opener
) -> None:
    tree = planted(sandbox, mode, path, content)
    repository = opened(sandbox.top)
    repository.resolve("HEAD")
    assert repository.elsewhere(tree).unfit == why
