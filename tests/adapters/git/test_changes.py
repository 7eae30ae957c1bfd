"""What differs between two trees: hunks, changed Python files, packages."""

import itertools
from pathlib import Path

import pytest

from bisector.adapters.git import changes
from bisector.core.explain.changes import touched_functions
from bisector.core.explain.sources import SourceChange
from bisector.formats.changes import changes_from_text, changes_to_text
from tests.adapters.git.conftest import Opener
from tests.helpers.repositories import Sandbox

BEFORE = "def one():\n    return 1\n\n\ndef two():\n    return 2\n"


def between(sandbox: Sandbox, opened: Opener, *versions: dict[str, str | bytes | None]) -> SourceChange:
    """The changes from the first to the second of two commits; None removes a file."""
    names = []
    for files in versions:
        for name in [name for name, content in files.items() if content is None]:
            (sandbox.top / name).unlink()
        sandbox.write({name: content for name, content in files.items() if content is not None})
        sandbox.git("add", "--all")
        sandbox.git("commit", "--quiet", "--allow-empty", "--message=x")
        names.append(sandbox.git("rev-parse", "HEAD"))
    repository = opened(sandbox.top)
    old, new = (repository.resolve(name).tree for name in names)
    return repository.changes(old, new)


def test_a_changed_function_is_found(sandbox: Sandbox, opened: Opener) -> None:
    found = between(sandbox, opened, {"src/pkg/a.py": BEFORE}, {"src/pkg/a.py": BEFORE.replace("2", "sum([1, 1])")})
    assert [change.path for change in found.files] == ["src/pkg/a.py"]
    (touched,) = touched_functions(found.files, found.sources).functions
    assert (touched.name, touched.line) == ("two", 5)
    assert [line for _, line in touched.lines] == ["-    return 2", "+    return sum([1, 1])"]


def test_what_git_says_of_the_function_stands_at_the_hunk(sandbox: Sandbox, opened: Opener) -> None:
    body = "int f(void)\n{\n" + "  g();\n" * 20 + "  return 1;\n}\n"
    found = between(sandbox, opened, {"a.c": body}, {"a.c": body.replace("return 1", "return 2")})
    assert found.files[0].hunks[0].context == "int f(void)"
    assert found.sources == {}


def test_a_label_in_the_first_column_is_no_function(sandbox: Sandbox, opened: Opener) -> None:
    body = "int interpret(int code)\n{\n" + "  g();\n" * 20 + "again:\n" + "  h();\n" * 8 + "  return 1;\n}\n"
    found = between(sandbox, opened, {"src/a.c": body}, {"src/a.c": body.replace("return 1", "return 2")})
    (touched,) = touched_functions(found.files, found.sources).functions
    assert touched.name == "interpret"


def test_removed_added_and_binary_files(sandbox: Sandbox, opened: Opener) -> None:
    found = between(
        sandbox,
        opened,
        {"old.py": BEFORE, "image.bin": b"\0\1\2"},
        {"old.py": None, "new.py": BEFORE, "image.bin": b"\0\1\3"},
    )
    by_path = {change.path: change for change in found.files}
    assert by_path["old.py"].removed
    assert not by_path["new.py"].removed
    assert by_path["image.bin"].hunks == ()
    assert set(found.sources) == {"new.py"}


def test_names_git_would_quote_are_told_as_they_are(sandbox: Sandbox, opened: Opener) -> None:
    odd = 'a "b"\n\t;é*.py'
    found = between(sandbox, opened, {odd: BEFORE}, {odd: BEFORE + "X = 1\n"})
    assert found.files[0].path == odd
    assert found.files[0].hunks


def test_top_level_packages_are_found(sandbox: Sandbox, opened: Opener) -> None:
    files: dict[str, str | bytes | None] = dict.fromkeys(
        ["src/alpha/__init__.py", "beta/__init__.py", "beta/inner/__init__.py", "gamma.py", "setup.py", "tests/x.py"],
        "",
    )
    assert between(sandbox, opened, files, {"z": "1"}).packages == ("alpha", "beta", "gamma")


def test_what_is_too_much_is_left_out_and_counted(
    sandbox: Sandbox, opened: Opener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "LARGEST_DIFF", 2000)
    monkeypatch.setattr(changes, "LARGEST_SOURCE", 1000)
    large = "".join(f"x{number} = {number}\n" for number in range(1000))
    found = between(sandbox, opened, {"a.py": "", "b.py": ""}, {"a.py": large, "b.py": "y = 1\n"})
    assert [change.path for change in found.files] == ["b.py"]
    assert found.left_out == 1


def test_equal_trees_differ_in_nothing(sandbox: Sandbox, opened: Opener) -> None:
    assert between(sandbox, opened, {"a.py": BEFORE}, {}).files == ()


def test_a_change_is_kept_as_text(sandbox: Sandbox, opened: Opener, tmp_path: Path) -> None:
    found = between(sandbox, opened, {"a.py": BEFORE}, {"a.py": BEFORE + "X = '\u2028'\n"})
    (tmp_path / "kept").write_bytes(changes_to_text(found))
    assert changes_from_text((tmp_path / "kept").read_bytes()) == found


def test_a_submodule_is_told_by_its_commits(sandbox: Sandbox, opened: Opener) -> None:
    names = []
    for link in ("1" * 40, "2" * 40, None):
        gone = ("--force-remove", "lib") if link is None else ("--add", "--cacheinfo", f"160000,{link},lib")
        sandbox.git("update-index", *gone)
        sandbox.write({"text.txt": f"-Subproject commit {link}\n"})
        sandbox.git("add", "text.txt")
        sandbox.git("commit", "--quiet", "--message=x")
        names.append(sandbox.git("rev-parse", "HEAD"))
    repository = opened(sandbox.top)
    trees = [repository.resolve(name).tree for name in names]
    moved, gone_again = (repository.changes(old, new) for old, new in itertools.pairwise(trees))
    assert {each.path: each.submodule for each in moved.files} == {"lib": ("1" * 40, "2" * 40), "text.txt": None}
    assert {each.path: each.submodule for each in gone_again.files} == {"lib": ("2" * 40, ""), "text.txt": None}
    assert repository.content(trees[0], "text.txt", 100) == b"-Subproject commit " + b"1" * 40 + b"\n"
    assert repository.content(trees[0], "text.txt", 10) is None
    assert repository.content(trees[0], "none", 10) is None
