"""Names that an unrelated edit, another build directory or another version of a library do not change."""

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bisector.core.explain.names import LONGEST_NAME, UNKNOWN, Names, aligned, in_one_place, rooted
from bisector.core.explain.stacks import Frame, Origin
from tests.core.explain.trees import capture, profile

NAMES = Names(roots=("/build/17", "/home/me/project/"), packages=frozenset({"mine"}))
OWN, LIBRARY = Origin.OWN, Origin.LIBRARY


@pytest.mark.parametrize(
    ("path", "module", "origin"),
    [
        ("/build/17/src/a.py", "src/a.py", OWN),
        ("/home/me/project/src/a.py", "src/a.py", OWN),
        ("/build/170/a.py", "/build/170/a.py", OWN),
        ("/build/17/venv/lib/python3.11/site-packages/jinja2/x.py", "jinja2/x.py", LIBRARY),
        ("/usr/lib/python3/dist-packages/yaml/x.py", "yaml/x.py", LIBRARY),
        ("/usr/lib/python3.12/site-packages/mine/core.py", "mine/core.py", OWN),
        ("/usr/local/lib/python3.11/json/decoder.py", "json/decoder.py", LIBRARY),
        ("/opt/py/lib/python3.13t/json/decoder.py", "json/decoder.py", LIBRARY),
        ("json/decoder.py", "json/decoder.py", LIBRARY),
        ("mine/json.py", "mine/json.py", OWN),
        ("bench.py", "bench.py", OWN),
        ("./bench.py", "bench.py", OWN),
        ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap>", LIBRARY),
        ("/usr/lib/x86_64-linux-gnu/libc.so.6", "libc.so", LIBRARY),
        ("libpython3.11.so.1.0", "libpython3.11.so", LIBRARY),
        ("/build/17/_speed.cpython-311-x86_64-linux-gnu.so", "_speed.so", OWN),
        ("/x/site-packages/mine/_speed.abi3.so", "mine/_speed.so", OWN),
        ("[kernel.kallsyms]", "[kernel]", LIBRARY),
        ("[vdso]", "[vdso]", LIBRARY),
        ("/proc/812/root/build/17/a.py", "a.py", OWN),
        ("/build/17/jq (deleted)", "jq", OWN),
        ("/usr/local/go/src/runtime/proc.go", "runtime/proc.go", LIBRARY),
        ("/usr/lib/go-1.19/src/runtime/proc.go", "runtime/proc.go", LIBRARY),
        ("/rustc/9fc6b431/library/core/src/str.rs", "library/core/src/str.rs", LIBRARY),
        ("/usr/lib/jvm/x.jar", "/usr/lib/jvm/x.jar", LIBRARY),
        ("node:internal/modules/cjs/loader", "node:internal/modules/cjs/loader", LIBRARY),
        ("C:\\src\\a.py", "C:/src/a.py", OWN),
        ("", "", OWN),
    ],
)
def test_where_a_frame_is(path: str, module: str, origin: Origin) -> None:
    frame = NAMES.frame("f", path, 3)
    assert (frame.module, frame.origin, frame.line) == (module, origin, 3)


@pytest.mark.parametrize(
    ("told", "name"),
    [
        ("normalise", "normalise"),
        ("normalise+0x1f", "normalise"),
        ("parse.constprop.0", "parse"),
        ("parse.isra.0.cold", "parse"),
        ("app::run::h0123456789abcdef", "app::run"),
        ("do_syscall_64_[k]", "do_syscall_64"),
        ("0x7f0012345678", UNKNOWN),
        ("[unknown]", UNKNOWN),
        ("", UNKNOWN),
        ("fn at 0x7f0012345678", "fn at 0x…"),
        ('process 123:"python a.py"', 'process "python a.py"'),
        ('process 123:"python a.py 17809 --at=20001"', 'process "python a.py {port} --at={port}"'),
        (
            'process 9:"/bin/sh -c echo $$ > "$0" && exec "$@" /bisector/out/services/web.pid python a.py 17809"',
            'process "python a.py {port}"',
        ),
        ('process "python a.py {port}"', 'process "python a.py {port}"'),
        ("thread (0x7F00AABB)", "thread"),
        ("added", "added"),
        ("Box.work.<locals>.<genexpr>", "Box.work.<locals>.<genexpr>"),
    ],
)
def test_what_a_frame_is_called(told: str, name: str) -> None:
    assert NAMES.frame(told).name == name


def test_a_frame_without_a_symbol_is_nobodys() -> None:
    assert NAMES.frame("0x7f0012345678", "/build/17/jq").origin is Origin.UNKNOWN


def test_names_too_long_stay_apart_and_are_the_same_again() -> None:
    one, other = (NAMES.frame("x" * 1_000_000 + end, "y" * 1_000_000 + end) for end in "ab")
    assert one != other
    assert one == NAMES.frame("x" * 1_000_000 + "a", "y" * 1_000_000 + "a")
    assert max(len(one.name), len(one.module), len(one.file)) <= LONGEST_NAME + 9


@pytest.mark.parametrize(
    "text", [".cold" * 200_000 + "!", "+0x" * 300_000, "a/" * 500_000, "process 1" * 100_000, ".so.1" * 200_000 + "!"]
)
def test_a_name_made_to_keep_a_pattern_busy_does_not(text: str) -> None:
    began = time.process_time()
    NAMES.frame(text, text)
    assert time.process_time() - began < 1


@given(st.text(), st.text(), st.integers())
def test_any_name_gives_a_frame_and_lines_are_no_part_of_it(name: str, path: str, line: int) -> None:
    frame = NAMES.frame(name, path, line)
    assert frame == NAMES.frame(name, path, 1)
    assert frame.name
    assert frame.line >= 0


def frames(*modules: str) -> list[Frame]:
    return [Frame(name="f", module=module) for module in modules]


def test_directories_that_hold_the_same_files_are_found() -> None:
    before = frames("/a/b1/pkg/x.py", "/a/b1/pkg/y.py", "/a/b1/z.py", "json/decoder.py")
    after = frames("/a/b2/pkg/x.py", "/a/b2/z.py", "/a/b2/new.py")
    roots = aligned(before, after)
    assert roots == ("/a/b1", "/a/b2")
    assert [rooted(frame, roots[1]).module for frame in after] == ["pkg/x.py", "z.py", "new.py"]


def test_one_side_may_tell_paths_from_where_it_stands() -> None:
    assert aligned(frames("/a/b1/p/x.py"), frames("p/x.py")) == ("/a/b1", "")
    assert aligned(frames("x.py", "y.py"), frames("/a/x.py", "/a/y.py")) == ("", "/a")


def test_two_profiles_from_two_directories_have_the_same_functions() -> None:
    sides = [profile(capture([((Frame(name="f", module=f"/build/{number}/p/x.py"),), 1.0)])) for number in (1, 2)]
    before, after = in_one_place(sides[0], sides[1])
    assert before.captures[0].frames == after.captures[0].frames == (Frame(name="f", module="p/x.py"),)


def test_equal_directories_need_no_roots() -> None:
    assert aligned(frames("/a/x.py"), frames("/a/x.py", "/a/y.py")) == ("", "")
    assert aligned(frames("x.py"), frames("y.py")) == ("", "")


def test_one_file_that_moved_does_not_outvote_the_rest() -> None:
    before = frames("/a/b1/p/x.py", "/a/b1/p/y.py", "/a/b1/old/u.py")
    after = frames("/a/b2/p/x.py", "/a/b2/p/y.py", "/a/b2/new/u.py")
    assert aligned(before, after) == ("/a/b1", "/a/b2")
