"""Findings: what a person who reads both profiles would say at once. A few rules, each with its evidence.

A rule speaks only of cost that grew by more than noise, or of counts, which have none.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from bisector.core.explain.answering import answerable
from bisector.core.explain.counts import STEADY, CallChange, CountPair
from bisector.core.explain.difference import Difference, Fate
from bisector.core.explain.spread import Estimate
from bisector.core.explain.stacks import ROOT, Frame, IntArray, Origin, Unit

SMALLEST_SHARE = 0.02
"""Of the growth; what costs less is not worth a sentence."""
MOST_FINDINGS = 8
REPEATED = 3.0
"""So many times the calls per call of the caller are worth a sentence."""
FEWEST_CALLS = 50
"""Additional calls per unit of work below which nothing is called a repetition."""
HIT, MISSED = 0.1, 0.5
"""Calls per call of the caller: at most the first while a cache works, at least the second when it does not."""

_REGEX_MODULES = frozenset(
    ("re/_compiler.py", "re/_parser.py", "sre_compile.py", "sre_parse.py", "re/__init__.py", "re.py")
)
_BUILTIN = "<built-in>"
_IMPORTING = frozenset(("<module>",))
_IO_MODULES = frozenset(("socket.py", "ssl.py", "subprocess.py", "http/client.py", "urllib/request.py", "pathlib.py"))
_IO_NAMES = re.compile(
    r"(?:__)?(?:libc_|GI_|GI___libc_)?(?:open(?:at)?(?:64)?|creat|p?read(?:v|64)?|p?write(?:v|64)?|f(?:data)?sync|fdatasync"
    r"|[lf]?stat(?:x|64)?|connect|accept|recv(?:from|msg)?|send(?:to|msg)?|getdents(?:64)?|poll|epoll_wait|select)"
    r"(?:_nocancel)?"
)
_BUILTIN_IO = re.compile(
    r"(?:<built-in method )?(?:(?:_?io|builtins)\.)?open>?"
    r"|<built-in method posix\.(?:open|l?stat|listdir|scandir|read|write|fsync|mkdir|remove|unlink|rename|replace)>"
    r"|<method '(?:read\w*|write\w*|send\w*|recv\w*|connect|accept|execute\w*)' of "
    r"'(?:_io\.(?:FileIO|Buffered\w+|TextIOWrapper)|_socket\.socket|sqlite3\.\w+)' objects>"
    r"|(?:FileIO|Buffered\w+|TextIOWrapper|socket)\.(?:read\w*|write\w*|send\w*|recv\w*|connect|accept)"
)
"""As cProfile or `sys.monitoring` tell what is written in C: no sampling profiler of Python sees it."""


class FindingKind(StrEnum):
    """The closed set of rules."""

    CACHE = "a cache stopped hitting"
    REPEATED = "the same call repeated"
    REGEX = "a regular expression compiled again and again"
    IMPORT = "a new import"
    INPUT_OUTPUT = "input or output"


_COUNTED = (FindingKind.CACHE, FindingKind.REPEATED)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """One rule that holds, with its evidence.

    `subject` is the function to look at, `callee` what it calls or imports. `cost` is what that costs on both sides
    (None where only counts tell), `calls` how often it is called per call of the subject, or per unit of work where
    the rule is not about one caller.
    """

    kind: FindingKind
    subject: Frame
    callee: Frame
    cost: Estimate | None
    calls: CallChange | None


def findings_of(found: Difference, counts: CountPair | None = None) -> tuple[Finding, ...]:
    """Everything the rules have to say, the dearest first."""
    counts = counts.calling() if counts is not None else None
    growth = float(np.maximum(found.own.delta[~found.own.noise], 0).sum())
    smallest = SMALLEST_SHARE * max(found.total.delta, growth)
    answer = answerable(found, np.zeros(len(found.frames), dtype=bool))
    told = [
        *(_repeated(found, counts) if counts is not None else ()),
        *(_builtin_io(found, counts) if counts is not None and found.unit is not Unit.BYTES else ()),
        *(_grown(found, answer, smallest, counts) if found.unit is not Unit.BYTES else ()),
        *_imports(found, answer, smallest, counts),
    ]
    importing = {each.subject for each in told if each.kind is FindingKind.IMPORT}
    # What a module that is imported for the first time compiles or reads is a part of that.
    told = [each for each in told if each.subject not in importing or each.kind in {FindingKind.IMPORT, *_COUNTED}]
    kept = [each for each in told if each.cost is None or each.cost.delta >= smallest]
    kept.sort(key=lambda each: -(each.cost.delta if each.cost is not None else 0.0))
    return tuple(kept[:MOST_FINDINGS])


def _repeated(found: Difference, counts: CountPair) -> Iterator[Finding]:
    """Calls that a caller, itself called about as often as before, now makes many times as often."""
    costs = {counts.after.counted(frame): index for index, frame in enumerate(found.frames)}
    for caller, callee in counts.after.edges:
        callers = CallChange(before=counts.before.calls_of(caller), after=counts.after.calls_of(caller))
        if (
            caller.origin is not Origin.OWN
            or caller == callee
            or not callers.before
            or not callers.after
            or not _steady(callers)
        ):
            continue
        each = CallChange(
            before=counts.before.from_to(caller, callee) / callers.before,
            after=counts.after.from_to(caller, callee) / callers.after,
        )
        if (each.after - each.before) * callers.after < FEWEST_CALLS or each.after < REPEATED * each.before:
            continue
        cost = found.inclusive[costs[callee]] if callee in costs else None
        if cost is None or cost.noise:
            continue
        cached = 0 < each.before <= HIT and MISSED <= each.after <= 1
        kind = FindingKind.CACHE if cached else FindingKind.REPEATED
        if cached or each.after > 1:
            yield Finding(kind=kind, subject=caller, callee=callee, cost=cost, calls=each)


def _builtin_io(found: Difference, counts: CountPair) -> Iterator[Finding]:
    """Input and output by what is written in C, which a function that got dearer does far more often: of each function
    the call that grew most. The cost is the caller's, so none is told."""
    places = {counts.after.counted(frame): index for index, frame in enumerate(found.frames)}
    most: dict[Frame, tuple[float, Frame, CallChange]] = {}
    for caller, callee in counts.after.edges:
        if callee.module != _BUILTIN or _BUILTIN_IO.fullmatch(callee.name) is None or caller.origin is not Origin.OWN:
            continue
        calls = CallChange(before=counts.before.from_to(caller, callee), after=counts.after.from_to(caller, callee))
        more = calls.after - calls.before
        dearer = caller in places and not found.own.noise[places[caller]] and found.own.delta[places[caller]] > 0
        if dearer and more >= FEWEST_CALLS and calls.after >= REPEATED * calls.before:
            most[caller] = max(most.get(caller, (0.0, callee, calls)), (more, callee, calls), key=lambda each: each[0])
    for caller, (_, callee, calls) in most.items():
        yield Finding(kind=FindingKind.INPUT_OUTPUT, subject=caller, callee=callee, cost=None, calls=calls)


def _steady(callers: CallChange) -> bool:
    return callers.before / STEADY <= callers.after <= callers.before * STEADY


def _grown(found: Difference, answer: IntArray, smallest: float, counts: CountPair | None) -> Iterator[Finding]:
    """Compiling of regular expressions, and input and output, that cost more than before."""
    for kind, matches in ((FindingKind.REGEX, _is_regex), (FindingKind.INPUT_OUTPUT, _is_io)):
        wanted = np.array([matches(frame) for frame in found.frames], dtype=bool)
        best = _dearest(found, [int(index) for index in np.flatnonzero(wanted)], smallest)
        if best is None:
            continue
        callee = found.frames[best]
        calls = counts.calls(callee) if counts is not None else None
        subject = found.frames[_answering(found, answer, best)]
        yield Finding(kind=kind, subject=subject, callee=callee, cost=found.inclusive[best], calls=calls)


def _imports(found: Difference, answer: IntArray, smallest: float, counts: CountPair | None) -> Iterator[Finding]:
    """Modules that only the new side imports and that cost something; those imported by another such are part of it."""
    new = [
        index
        for index, frame in enumerate(found.frames)
        if frame.name in _IMPORTING
        and found.function(index).fate is Fate.NEW
        # Not seen by the profiler is not yet not there: it may have been too quick.
        and (counts is None or not counts.before.calls_of(frame))
    ]
    is_new = np.zeros(len(found.frames), dtype=bool)
    is_new[new] = True
    tree = found.tree
    under = np.zeros(tree.size, dtype=bool)
    for nodes in tree.depths():
        parent = tree.parent[nodes]
        if parent.size and parent[0] != ROOT:
            under[nodes] = under[parent] | is_new[tree.frame[parent]]
    for index in new:
        mine = tree.frame == index
        cost = found.inclusive[index]
        if cost.noise or cost.delta < smallest or under[mine].all() or (tree.parent[mine] == ROOT).any():
            continue
        subject = found.frames[_answering(found, answer, index)]
        yield Finding(kind=FindingKind.IMPORT, subject=subject, callee=found.frames[index], cost=cost, calls=None)


def _is_regex(frame: Frame) -> bool:
    return frame.origin is Origin.LIBRARY and frame.module in _REGEX_MODULES and "compile" in frame.name


def _is_io(frame: Frame) -> bool:
    if frame.origin is not Origin.LIBRARY or frame.name in _IMPORTING:
        return False
    return frame.module in _IO_MODULES or _IO_NAMES.fullmatch(frame.name) is not None


def _dearest(found: Difference, indexes: Sequence[int], smallest: float) -> int | None:
    """The one of the functions that grew most, by more than noise and by enough."""
    grown = [i for i in indexes if not found.inclusive.noise[i] and found.inclusive.delta[i] >= smallest]
    return max(grown, key=lambda index: float(found.inclusive.delta[index]), default=None)


def _answering(found: Difference, answer: IntArray, index: int) -> int:
    """Which function the dearest call of `index` is made for."""
    nodes = np.flatnonzero(found.tree.frame == index)
    node = int(nodes[found.nodes.delta[nodes].argmax()])
    parent = int(found.tree.parent[node])
    return int(answer[parent]) if parent != ROOT else index
