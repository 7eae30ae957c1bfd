"""The candidates between two commits."""

import shutil
from pathlib import Path

import pytest

from bisector.adapters.git import history
from bisector.core.model.facts import HistoryListed
from bisector.core.model.units import Sha
from bisector.errors import RefError, UsageError
from tests.adapters.git.conftest import Opener, git_on
from tests.helpers.repositories import Node, Sandbox, make_graph


def listed(top: Path, good: Sha, bad: Sha, *, every_commit: bool = False, paths: tuple[str, ...] = ()) -> HistoryListed:
    """The listing, straight from a repository of the test."""
    return history.list_history(git_on(top), good, bad, every_commit=every_commit, paths=paths)


def graph_of(tmp_path: Path, *parents: tuple[int, ...]) -> list[Sha]:
    """A repository whose commits have these parents and a file each."""
    nodes = [Node(links, {f"f{number}": b"x"}, 1_600_000_000 + number) for number, links in enumerate(parents)]
    return make_graph(tmp_path, nodes)


def numbers(found: HistoryListed, shas: list[Sha]) -> list[int]:
    """Index 0 and the candidates, as positions in `shas`."""
    return [shas.index(found.line.commit(index).sha) for index in range(found.line.size + 1)]


def test_the_first_parent_line_after_good(tmp_path: Path) -> None:
    shas = graph_of(tmp_path, (), (0,), (1,), (1,), (2, 3), (4,))
    found = listed(tmp_path, shas[0], shas[5])
    assert numbers(found, shas) == [0, 1, 2, 4, 5]
    assert (found.aside, found.bad_contains_good, found.line.links, found.line.notes) == (None, True, (), ())
    assert found.line.trees == tuple(found.line.commit(index).tree for index in range(5))
    assert found.line.touched is None


def test_good_on_a_side_branch_stands_aside(tmp_path: Path) -> None:
    """1 is good and was merged by 4; the line starts where it leaves the history of 1."""
    shas = graph_of(tmp_path, (), (0,), (0,), (2,), (3, 1), (4,))
    found = listed(tmp_path, shas[1], shas[5])
    assert numbers(found, shas) == [0, 2, 3, 4, 5]
    assert found.aside is not None
    assert (found.aside.sha, found.bad_contains_good) == (shas[1], True)
    assert found.line.notes == ()


def test_good_that_is_no_ancestor_starts_at_the_merge_base(tmp_path: Path) -> None:
    shas = graph_of(tmp_path, (), (0,), (1,), (1,), (3,))
    found = listed(tmp_path, shas[2], shas[4])
    assert numbers(found, shas) == [1, 3, 4]
    assert found.aside is not None
    assert (found.aside.sha, found.bad_contains_good) == (shas[2], False)
    assert found.line.notes == ()


@pytest.mark.parametrize("every_commit", [False, True])
def test_of_several_merge_bases_the_one_on_bads_line_is_taken(tmp_path: Path, *, every_commit: bool) -> None:
    """1 and 2 are merged both ways: 3 on the line of 1, 4 on the line of 2."""
    shas = graph_of(tmp_path, (), (0,), (0,), (1, 2), (2, 1), (3,), (4,))
    found = listed(tmp_path, shas[6], shas[5], every_commit=every_commit)
    assert numbers(found, shas) == [1, 3, 5]
    assert found.line.notes == (
        f"good and bad meet in more places than {shas[1][:12]}, where the line starts: {shas[2][:12]}",
    )
    assert numbers(listed(tmp_path, shas[5], shas[6], every_commit=every_commit), shas) == [2, 4, 6]


def test_a_merge_base_off_the_line_does_not_start_it(tmp_path: Path) -> None:
    """2 lies on a side branch that both merged: candidate 1's first parent has to be index 0."""
    shas = graph_of(tmp_path, (), (0,), (0,), (1, 2), (0, 2), (3,))
    found = listed(tmp_path, shas[4], shas[5])
    assert numbers(found, shas) == [0, 1, 3, 5]
    assert not found.bad_contains_good
    assert found.line.notes == (
        f"good and bad meet in more places than {shas[0][:12]}, where the line starts: {shas[2][:12]}",
    )
    assert numbers(listed(tmp_path, shas[4], shas[5], every_commit=True), shas) == [2, 1, 3, 5]


def test_a_line_that_never_meets_goods_history_starts_at_its_root(tmp_path: Path) -> None:
    shas = graph_of(tmp_path, (), (0,), (), (2,), (1, 3), (4,))
    found = listed(tmp_path, shas[3], shas[5])
    assert numbers(found, shas) == [0, 1, 4, 5]
    assert found.aside is not None
    assert (found.aside.sha, found.bad_contains_good) == (shas[3], True)
    assert found.line.notes == (f"the line starts at its root {shas[0][:12]}: good's history has no commit of it",)


def test_every_commit_is_a_graph_with_ancestors_first(tmp_path: Path) -> None:
    shas = graph_of(tmp_path, (), (0,), (1,), (0,), (2, 3), (4,))
    found = listed(tmp_path, shas[1], shas[5], every_commit=True)
    order = numbers(found, shas)
    assert (order[0], order[-1], sorted(order)) == (1, 5, [1, 2, 3, 4, 5])
    places = {number: index for index, number in enumerate(order)}
    assert {order[index]: {order[link] for link in links} for index, links in enumerate(found.line.links, start=1)} == {
        2: set(),
        3: set(),
        4: {2, 3},
        5: {4},
    }
    assert found.line.links[places[4] - 1] == (places[2], places[3])
    assert (found.aside, found.bad_contains_good) == (None, True)


def test_every_commit_of_a_straight_line_is_a_line(tmp_path: Path) -> None:
    shas = graph_of(tmp_path, (), (0,), (1,))
    found = listed(tmp_path, shas[0], shas[2], every_commit=True)
    assert (numbers(found, shas), found.line.links) == ([0, 1, 2], ())


def test_a_graph_too_large_to_reason_about_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shas = graph_of(tmp_path, (), (0,), (1,), (2,))
    monkeypatch.setattr(history, "LARGEST_GRAPH", 2)
    with pytest.raises(RefError, match=r"more than 2 commits between .* without --every-commit"):
        listed(tmp_path, shas[0], shas[3], every_commit=True)
    assert listed(tmp_path, shas[1], shas[3], every_commit=True).line.size == 2
    assert listed(tmp_path, shas[0], shas[3]).line.size == 3


@pytest.mark.parametrize("every_commit", [False, True])
def test_ends_that_span_nothing_are_told_as_that(tmp_path: Path, *, every_commit: bool) -> None:
    shas = graph_of(tmp_path, (), (0,), (1,), (0, 1), ())
    with pytest.raises(RefError, match="are the same commit"):
        listed(tmp_path, shas[1], shas[1], every_commit=every_commit)
    reversed_ends = f"bad {shas[0][:12]} is an ancestor of good {shas[2][:12]}.*Name the older commit first"
    with pytest.raises(RefError, match=reversed_ends):
        listed(tmp_path, shas[2], shas[0], every_commit=every_commit)
    with pytest.raises(RefError, match="is an ancestor of good"):
        listed(tmp_path, shas[3], shas[1], every_commit=every_commit)
    with pytest.raises(RefError, match="no history in common"):
        listed(tmp_path, shas[4], shas[2], every_commit=every_commit)


def test_candidates_that_touch_a_path(tmp_path: Path) -> None:
    nodes = [
        Node((), {"a/x": b"0", "b/y": b"0"}),
        Node((0,), {"a/x": b"1"}),
        Node((0,), {"b/y": b"1"}),
        Node((1, 2), {"b/y": b"1"}),
        Node((3,), {"a/new": b"1", "odd\nname :000": b"x"}),
        Node((4,), {}),
        Node((5,), {"a/x": b"1"}),
        Node((6,), {"b/y": b"2"}),
    ]
    shas = make_graph(tmp_path, nodes)

    def touched(*paths: str, every_commit: bool = False) -> set[int] | None:
        found = listed(tmp_path, shas[0], shas[-1], paths=paths, every_commit=every_commit)
        assert found.line.touched is not None
        return {shas.index(found.line.commit(index).sha) for index in found.line.touched}

    assert touched("a") == {1, 4}
    assert touched("b/y") == {3, 7}
    assert touched("b", every_commit=True) == {2, 3, 7}
    assert touched("a/x", "b/y") == {1, 3, 7}
    assert touched(":(glob)**/x") == {1}
    assert touched("odd*") == {4}
    assert touched("nothing/here") == set()
    assert touched("--all") == set()
    missed = listed(tmp_path, shas[0], shas[-1], paths=("nothing/here",))
    assert missed.line.notes == ("no candidate touches any of the paths",)
    assert listed(tmp_path, shas[0], shas[-1], paths=("a",)).line.notes == ()


def test_a_root_among_the_candidates_touches_what_it_brings(tmp_path: Path) -> None:
    shas = make_graph(tmp_path, [Node((), {"a": b"0"}), Node((), {"b": b"0"}), Node((0, 1), {"b": b"0"})])
    found = listed(tmp_path, shas[0], shas[2], every_commit=True, paths=("b",))
    assert {found.line.commit(index).sha for index in found.line.touched or ()} == {shas[1], shas[2]}


@pytest.mark.parametrize("path", [":(nonsense)x", ":(top", "../x", "", "/etc"])
def test_a_path_git_does_not_understand_is_the_requests_fault(path: str, tmp_path: Path) -> None:
    shas = graph_of(tmp_path, (), (0,))
    with pytest.raises(UsageError, match="does not understand the paths"):
        listed(tmp_path, shas[0], shas[1], paths=(path,))


@pytest.mark.parametrize("every_commit", [False, True])
def test_clocks_that_went_wrong_do_not_lengthen_the_line(tmp_path: Path, opened: Opener, *, every_commit: bool) -> None:
    """Good's own commits, a dozen since 20, claim to be of 1970: in order of time git meets 20 much too late."""
    line = [Node((number - 1,) if number else (), {}, 1_600_000_000 + number) for number in range(30)]
    old = [Node((29 + number if number else 20,), {}, number) for number in range(12)]
    shas = make_graph(tmp_path / "source", line + old)
    repository = opened(tmp_path / "source")
    good, bad = repository.resolve(shas[-1]).sha, repository.resolve(shas[29]).sha
    found = repository.list_history(good, bad, every_commit=every_commit, paths=())
    assert numbers(found, shas) == list(range(20, 30))
    turned = repository.list_history(bad, good, every_commit=every_commit, paths=())
    assert numbers(turned, shas) == [20, *range(30, 42)]


def test_what_is_pinned_is_found_whatever_the_clocks_said(tmp_path: Path, opened: Opener) -> None:
    old = [Node((number - 1,) if number else (), {}, 1_600_000_000 - number * 1_000_000) for number in range(30)]
    shas = make_graph(tmp_path / "source", old)
    opened(tmp_path / "source").pin("job", [shas[-1]])
    shutil.rmtree(tmp_path / "source")
    repository = opened(tmp_path / "source")
    assert [repository.resolve(sha).sha for sha in shas] == shas


def test_hostile_text_comes_through_as_text(sandbox: Sandbox, opened: Opener) -> None:
    first = sandbox.commit("first")
    name, subject = b"\xff\xfe<b>\x1b[31m", b"</script>\x1b[2J\r\xe2\x80\xae caf\xe9"
    who = b" <\x07@example.org> 99999999999999 +0000\n"
    text = b"tree %s\nparent %s\nauthor %s%scommitter %s%s\n%s\n\nbody" % (
        sandbox.tree("HEAD").encode(),
        first.encode(),
        *(name.replace(b"<b>", b"b"), who) * 2,
        subject,
    )
    hostile = sandbox.git("hash-object", "-t", "commit", "--literally", "-w", "--stdin", given=text)
    long = sandbox.git("commit-tree", "-p", hostile, "-F", "-", sandbox.tree("HEAD"), given=b"x" * 1_000_000)
    repository = opened(sandbox.top)
    good, bad = repository.resolve(first), repository.resolve(long)
    line = repository.list_history(good.sha, bad.sha, every_commit=False, paths=()).line
    assert line.commit(1).author == "\ufffd\ufffdb\x1b[31m"
    assert line.commit(1).subject == "</script>\x1b[2J\r\u202e caf\ufffd"
    assert line.commit(1).time == 253_402_300_799
    assert line.commit(2).subject == "x" * 1000
    assert line.candidates == (repository.resolve(line.commit(1).sha), bad)


def test_a_declared_encoding_is_honoured_and_an_unknown_one_is_survived(sandbox: Sandbox, opened: Opener) -> None:
    first = sandbox.commit("first")
    shas = []
    for encoding in ("ISO-8859-1", "no-such-encoding", "rot13", "utf-7", "idna", "utf-16"):
        text = (
            f"tree {sandbox.tree('HEAD')}\nparent {first}\nauthor J\xe9 <j@example.org> 5 +0000\n"
            f"committer J\xe9 <j@example.org> 5 +0000\nencoding {encoding}\n\ncaf\xe9\n"
        ).encode("latin-1")
        shas.append(sandbox.git("hash-object", "-t", "commit", "--literally", "-w", "--stdin", given=text))
    repository = opened(sandbox.top)
    found = [repository.resolve(sha) for sha in shas]
    assert (found[0].author, found[0].subject) == ("J\xe9", "caf\xe9")
    assert all(commit.parents == (first,) for commit in found)
