"""Which functions a diff touches, and which frames are these functions."""

import pytest

from bisector.core.explain.changes import MODULE, FileChange, Hunk, TouchedFunction, touched_functions
from bisector.core.explain.stacks import Frame

SOURCE = """\
import re

LIMIT = 3


class Parser:
    size = 1

    @staticmethod
    def normalise(text):
        def inner():
            return 1

        return text

    def parse(self):
        return [x for x in self]


def main():
    pass
"""


def change(path: str, *hunks: Hunk) -> FileChange:
    return FileChange(path=path, hunks=hunks)


def python(start: int, *lines: str) -> list[str]:
    found = touched_functions([change("src/p.py", Hunk(start=start, lines=lines))], {"src/p.py": SOURCE})
    return [function.name for function in found.functions]


@pytest.mark.parametrize(
    ("start", "lines", "names"),
    [
        (14, ("+        return text",), ["Parser.normalise"]),
        (9, ("+    @staticmethod",), ["Parser.normalise"]),
        (12, ("+            return 1",), ["Parser.normalise.<locals>.inner"]),
        (3, ("+LIMIT = 3",), [MODULE]),
        (7, ("+    size = 1",), [MODULE]),
        (17, ("-        return list(self)", "+        return [x for x in self]"), ["Parser.parse"]),
        (13, (" ", "+        return text", " ", " ", "+    def parse(self):"), ["Parser.normalise", "Parser.parse"]),
        (13, (" ", " ", " "), []),
    ],
)
def test_python_is_parsed(start: int, lines: tuple[str, ...], names: list[str]) -> None:
    assert python(start, *lines) == names


def test_a_touched_function_holds_its_place_and_its_changed_lines() -> None:
    hunk = Hunk(start=13, lines=(" ", "-        return 1", "+        return text", " "))
    (function,) = touched_functions([change("src/p.py", hunk)], {"src/p.py": SOURCE}).functions
    assert (function.path, function.line, function.last) == ("src/p.py", 9, 14)
    assert function.lines == ((14, "-        return 1"), (14, "+        return text"))


@pytest.mark.parametrize("source", ["print 'python 2'\n", "", "(" * 5000, "\0"])
def test_what_does_not_parse_is_told_by_the_diff(source: str) -> None:
    hunk = Hunk(start=2, lines=("+    print 2",), context="def old_style(x):")
    found = touched_functions([change("src/p.py", hunk)], {"src/p.py": source})
    assert [function.name for function in found.functions] == ["old_style"]


@pytest.mark.parametrize(
    ("path", "context", "lines", "names"),
    [
        ("src/x.c", "static double parse(int n)", ("+  s += 1;",), ["parse"]),
        ("src/x.c", "static double parse(int n)", (" }", " int next(void)", " {", "+  return 2;"), ["next"]),
        ("src/x.c", "", ("+  return 2;",), [MODULE]),
        ("src/x.c", "int f(int n) {", ("+  if (n) {", "+    g(n);", "+  }"), ["f"]),
        ("src/x.c", "int f(int n) {", ("+if (n)", "+while (g(n))", "+  n--;"), ["f"]),
        ("src/x.c", '__attribute__((noinline, alias("g"))) static void f(int n)', ("+  n--;",), ["f"]),
        ("src/x.cpp", "[[nodiscard]] int f(int n)", ("+  n--;",), ["f"]),
        ("src/x.cpp", "void Parser::step(Token const& t)", ("+  s += 1;",), ["step"]),
        ("a.go", "func (p *Parser) Step(n int) error {", ("+\tn++",), ["Step"]),
        ("a.rs", "    pub(crate) async fn step(&mut self) {", ("+        n += 1;",), ["step"]),
        ("a.js", "export default async function step(n) {", ("+  n++",), ["step"]),
    ],
)
def test_other_languages_by_their_lines(path: str, context: str, lines: tuple[str, ...], names: list[str]) -> None:
    found = touched_functions([change(path, Hunk(start=10, lines=lines, context=context))], {})
    assert [function.name for function in found.functions] == names


def test_a_removed_file_touches_nothing_that_runs() -> None:
    gone = FileChange(path="src/p.py", hunks=(Hunk(start=0, lines=("-def f(): pass",)),), removed=True)
    assert touched_functions([gone], {}).functions == ()


def function(name: str, path: str = "src/pkg/p.py") -> TouchedFunction:
    return TouchedFunction(path=path, name=name, line=10, last=20, lines=())


@pytest.mark.parametrize(
    ("touched", "frame", "same"),
    [
        (function("Parser.normalise"), Frame(name="Parser.normalise", module="pkg/p.py"), True),
        (function("Parser.normalise"), Frame(name="normalise", module="p.py"), True),
        (function("Parser.normalise"), Frame(name="Other.normalise", module="pkg/p.py"), False),
        (function("normalise"), Frame(name="normalise", module="other/p.py"), False),
        (function("normalise"), Frame(name="normalise", module="x.py"), False),
        (function("normalise"), Frame(name="abnormalise", module="p.py"), False),
        (function("f"), Frame(name="f.<locals>.<genexpr>", module="pkg/p.py"), True),
        (function("f.<locals>.inner"), Frame(name="f.<locals>.inner", module="pkg/p.py"), True),
        (function("f"), Frame(name="<genexpr>", module="pkg/p.py", line=12), True),
        (function("f"), Frame(name="<genexpr>", module="pkg/p.py", line=32), False),
        (function(MODULE), Frame(name=MODULE, module="pkg/p.py"), True),
        (function("f"), Frame(name="f", module="libx.so"), False),
        (function("parse", "src/x.c"), Frame(name="parse", module="/tmp/jq"), True),
        (function("step", "src/x.cpp"), Frame(name="ns::Parser::step(Token const&)", module="app"), True),
        (function("step", "src/x.cpp"), Frame(name="ns::Parser::stepped(int)", module="app"), False),
        (function("Step", "a.go"), Frame(name="example.com/app.(*Parser).Step", module="app"), True),
        (function("step", "a.rs"), Frame(name="app::parser::step", module="app"), True),
    ],
)
def test_which_frame_is_a_touched_function(touched: TouchedFunction, frame: Frame, same: bool) -> None:
    assert touched.is_frame(frame) is same
