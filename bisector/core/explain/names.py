"""Names of frames that survive an unrelated edit and another build directory: no lines, addresses or versions."""

import hashlib
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, replace

from bisector.core.explain.stacks import Capture, Frame, Origin, Profile

LONGEST_NAME = 400
"""Characters of a name that are kept; a longer one ends in a digest, so that two of them stay two."""
UNKNOWN = "[unknown]"
_MARK = 9
"""Characters of the ellipsis and the digest."""
_SUFFIX = 100
"""Characters at the end of a name in which a compiler's additions are looked for."""

_ADDRESS = re.compile(r"(?:0x)?[0-9a-fA-F]{6,16}")
_OFFSET = re.compile(r"\+0x[0-9a-fA-F]+$")
_INNER_ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}")
_COMPILER_PARTS = re.compile(r"(?:\.(?:constprop|isra|part|cold|lto_priv|llvm)(?:\.\d+)*)+$")
_RUST_HASH = re.compile(r"::h[0-9a-f]{16}$")
_COLLAPSED_MARK = re.compile(r"_\[[kijw]\]$")
_PROCESS = re.compile(r"process \d+:(?=\")")
_PROCESS_NAME = 'process "'
"""How py-spy begins the name of what stands for a whole process."""
_GATE = re.compile(r'/bin/sh -c echo \$\$ > "\$0" && exec "\$@" \S{1,1000}\.pid ')
"""What is put before a service that is profiled, and is gone as soon as it has become the service."""
_PORT = re.compile(r"(?<=[ :=])[0-9]{5}(?![0-9.])")
"""A service has another one in every run."""
_THREAD = re.compile(r"thread \(?0x[0-9a-fA-F]+\)?")

_DELETED = re.compile(r" \(deleted\)$")
_INSIDE = re.compile(r"^/proc/\d+/root(?=/)")
_PACKAGES = re.compile(r"^.*(?:^|/)(?:site|dist)-packages/")
_STANDARD = re.compile(r"^.*(?:^|/)(?:lib(?:64)?/python3(?:\.\d+)?t?|python3\d*\.zip)/")
_GO = re.compile(r"^/usr/(?:local|lib)/go(?:-[\d.]+)?/src/")
_RUST = re.compile(r"^/rustc/[^/]+/")
_SHARED_OBJECT = re.compile(r"([^/]*?)(?:\.(?:cpython|abi3|pypy)[-\w]*)?\.so((?:\.\d+)*)$")
_SYSTEM = re.compile(
    r"^(?:<frozen .*>|<built-in>|\[(?!unknown).*\]|node:.*|/lib(?:64)?/.*"
    r"|/usr/(?:lib|libexec|share|include)/.*|.*/\.cargo/registry/.*|.*/go/pkg/mod/.*|.*/node_modules/.*)$"
)
_KERNEL = re.compile(r"^\[(?:kernel|guest\.kernel|vmlinux)[^\]]*\]$")

_STANDARD_LIBRARY = """
abc aifc antigravity argparse array ast asynchat asyncio asyncore atexit audioop base64 bdb binascii bisect
builtins bz2 cProfile calendar cgi cgitb chunk cmath cmd code codecs codeop collections colorsys compileall
concurrent configparser contextlib contextvars copy copyreg crypt csv ctypes curses dataclasses datetime dbm
decimal difflib dis distutils doctest email encodings ensurepip enum errno faulthandler fcntl filecmp fileinput
fnmatch fractions ftplib functools gc genericpath getopt getpass gettext glob graphlib grp gzip hashlib heapq
hmac html http idlelib imaplib imghdr imp importlib inspect io ipaddress itertools json keyword lib2to3
linecache locale logging lzma mailbox mailcap marshal math mimetypes mmap modulefinder msilib msvcrt
multiprocessing netrc nis nntplib nt ntpath nturl2path numbers opcode operator optparse os ossaudiodev pathlib
pdb pickle pickletools pipes pkgutil platform plistlib poplib posix posixpath pprint profile pstats pty pwd
py_compile pyclbr pydoc pydoc_data pyexpat queue quopri random re readline reprlib resource rlcompleter runpy
sched secrets select selectors shelve shlex shutil signal site smtpd smtplib sndhdr socket socketserver spwd
sqlite3 sre_compile sre_constants sre_parse ssl stat statistics string stringprep struct subprocess sunau
symtable sys sysconfig syslog tabnanny tarfile telnetlib tempfile termios textwrap this threading time timeit
tkinter token tokenize tomllib trace traceback tracemalloc tty turtle turtledemo types typing unicodedata
unittest urllib uu uuid venv warnings wave weakref webbrowser winreg winsound wsgiref xdrlib xml xmlrpc zipapp
zipfile zipimport zlib zoneinfo
"""
STANDARD_LIBRARY = frozenset(_STANDARD_LIBRARY.split())
"""Modules of Python's standard library: some tools tell `json/decoder.py` and not where it lies."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Names:
    """How the frames of a capture are named. `roots` are directories the project was built or installed in;
    `packages` are its top-level packages, which are its own code even where they are installed among others."""

    roots: tuple[str, ...] = ()
    packages: frozenset[str] = frozenset()

    def frame(self, name: str, path: str = "", line: int = 0) -> Frame:
        """The frame a tool told as `name` in `path` (a source file or a shared object) at `line` (0: unknown)."""
        bare, told = _name(name), _INSIDE.sub("", _DELETED.sub("", _short(path).replace("\\", "/")))
        module, origin = self._module(told)
        if bare == UNKNOWN:
            origin = Origin.UNKNOWN
        elif bare.startswith(_PROCESS_NAME):
            # What a process was called with is nobody's function, and names the build's directory.
            bare, origin = _PORT.sub("{port}", _GATE.sub("", self._without_roots(bare))), Origin.LIBRARY
        return Frame(name=bare, module=module, file=told, line=max(line, 0), origin=origin)

    def _module(self, path: str) -> tuple[str, Origin]:
        for root in self.roots:
            prefix = root.rstrip("/") + "/"
            if path.startswith(prefix) and not _PACKAGES.match(path.removeprefix(prefix)):
                return _plain_object(path.removeprefix(prefix)), Origin.OWN
        if found := (_PACKAGES.match(path) or _STANDARD.match(path)):
            module = _plain_object(path[found.end() :])
            return module, Origin.OWN if self._is_ours(module) else Origin.LIBRARY
        if found := (_GO.match(path) or _RUST.match(path)):
            return path[found.end() :], Origin.LIBRARY
        if _KERNEL.match(path):
            return "[kernel]", Origin.LIBRARY
        if shared := _SHARED_OBJECT.search(path):
            return f"{shared[1]}.so", Origin.LIBRARY
        if _SYSTEM.match(path):
            return path, Origin.LIBRARY
        module = path.removeprefix("./")
        if path.startswith("/") or self._is_ours(module):
            return module, Origin.OWN
        standard = module.endswith(".py") and _top(module) in STANDARD_LIBRARY
        return module, Origin.LIBRARY if standard else Origin.OWN

    def _without_roots(self, text: str) -> str:
        for root in self.roots:
            text = text.replace(f"{root.rstrip('/')}/", "")
        return text

    def _is_ours(self, module: str) -> bool:
        return _top(module) in self.packages


def is_process(frame: Frame) -> bool:
    """Whether a frame stands for a process, and no function."""
    return frame.origin is Origin.LIBRARY and not frame.module and frame.name.startswith(_PROCESS_NAME)


def aligned(before: Iterable[Frame], after: Iterable[Frame]) -> tuple[str, str]:
    """The directories in which two sides keep the same files, to be named as roots; "" where they need none.

    Two paths that end alike, one of them absolute, vote for what is left of them; most votes win.
    """
    one, other = (sorted({frame.module for frame in side if frame.origin is Origin.OWN}) for side in (before, after))
    known = set(one)
    by_end: dict[str, list[str]] = {}
    for path in one:
        by_end.setdefault(path.rpartition("/")[2], []).append(path)
    votes: Counter[tuple[str, str]] = Counter()
    for path in other:
        if path in known:
            continue
        alike = [
            each for each in by_end.get(path.rpartition("/")[2], ()) if each.startswith("/") or path.startswith("/")
        ]
        votes.update({_parted(each, path) for each in alike})
    return max(votes, key=lambda pair: (votes[pair], len(pair[0]), pair)) if votes else ("", "")


def in_one_place(before: Profile, after: Profile) -> tuple[Profile, Profile]:
    """Two profiles from different directories as if they were from one, so that their functions are the same."""
    sides = (before, after)
    frames = [[frame for capture in side.captures for frame in capture.frames] for side in sides]
    roots = aligned(frames[0], frames[1])
    return _moved(before, roots[0]), _moved(after, roots[1])


def _moved(side: Profile, root: str) -> Profile:
    return replace(side, captures=tuple(_rerooted(capture, root) for capture in side.captures))


def _rerooted(capture: Capture, root: str) -> Capture:
    return replace(capture, frames=tuple(rooted(frame, root) for frame in capture.frames))


def rooted(frame: Frame, root: str) -> Frame:
    """The frame with its module told from `root`, where it lies in it."""
    prefix = f"{root}/"
    return replace(frame, module=frame.module.removeprefix(prefix)) if root and frame.module else frame


def _parted(one: str, other: str) -> tuple[str, str]:
    """What is left of two different paths without the directories and the file in which they end alike."""
    mine, theirs = one.split("/"), other.split("/")
    same = 0
    while same < min(len(mine), len(theirs)) and mine[-1 - same] == theirs[-1 - same]:
        same += 1
    return "/".join(mine[: len(mine) - same]), "/".join(theirs[: len(theirs) - same])


def _name(name: str) -> str:
    told = name.strip()
    # Only the end is looked at for suffixes: a stranger's name may be a megabyte made to keep a pattern busy.
    head, end = told[:-_SUFFIX], told[-_SUFFIX:]
    for suffix in (_OFFSET, _COLLAPSED_MARK, _COMPILER_PARTS, _RUST_HASH):
        end = suffix.sub("", end)
    bare = _short(head + end)
    if bare in {"", "??", UNKNOWN} or _ADDRESS.fullmatch(bare):
        return UNKNOWN
    return _INNER_ADDRESS.sub("0x…", _THREAD.sub("thread", _PROCESS.sub("process ", bare)))


def _short(text: str) -> str:
    # What was cut before stays as it is: profiles that we wrote have the same names again.
    if len(text) <= LONGEST_NAME + _MARK:
        return text
    mark = hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[: _MARK - 1]
    return f"{text[:LONGEST_NAME]}…{mark}"


def _plain_object(path: str) -> str:
    """The path of a shared object without the interpreter's tag and version; any other path as it is."""
    found = _SHARED_OBJECT.search(path)
    return f"{path[: found.start()]}{found[1]}.so" if found else path


def _top(module: str) -> str:
    return module.partition("/")[0].removesuffix(".py").removesuffix(".so")
