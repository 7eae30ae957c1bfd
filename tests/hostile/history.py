"""A history whose commits mean harm: what their messages, files and names are, and the scenario that runs them."""

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType

from tests.helpers.repositories import Sandbox
from tests.hostile.deeds import HARMLESS, NAMED, Deed

SCRIPT = "<script>document.title='hostile'</script>"
NAME = f"{SCRIPT}]]>;\x1b[31m\u202e--upload-pack=touch${{IFS}}hostile"
"""What is to break out of wherever a name of a stranger is shown."""
MESSAGE = f"{NAME} \0\n\n{NAME}\n" + "x" * 1_000_000
REF = "--upload-pack=touch"
"""A name that a branch may have."""
PERSON = "A\x1b[31m \u202e; ]] <a@example.org>"

HARMFUL_MODULES = {
    "an address like an option": '[submodule "b"]\n\tpath = b\n\turl = -u./hostile.sh\n',
    "a command for an update": '[submodule "b"]\n\tpath = b\n\turl = https://x/x\n\tupdate = !touch /tmp/hostile\n',
}
"""Each a .gitmodules that git itself takes for an attack."""
REFUSED_MODULES = {
    "a command for an address": '[submodule "b"]\n\tpath = b\n\turl = ext::sh -c touch% /tmp/hostile\n',
    "a file for an address": '[submodule "b"]\n\tpath = b\n\turl = file:///etc\n',
    "an address that leads out": '[submodule "b"]\n\tpath = b\n\turl = ../../../../../../../../../../../../etc\n',
}
"""Each a .gitmodules that git lets in, with an address nobody is asked at."""
RETURN_MODULES = '[submodule "b"]\n\tpath = "b\r"\n\turl = {url}\n'
"""One whose path ends with a carriage return, beside which a link of that name without it leads to where hooks lie
(CVE-2025-48384)."""

TREE: dict[str, str | bytes] = {
    ".lfsconfig": "[lfs]\n\turl = file:///etc\n\tfetchexclude = x\n",
    ".gitattributes": "*.bin filter=lfs diff=lfs merge=lfs\n",
    "data.bin": "version https://git-lfs.github.com/spec/v1\noid sha256:" + "0" * 64 + "\nsize 5\n",
    ".githooks/post-checkout": "#!/bin/sh\ntouch /tmp/hostile\n",
    ".gitconfig": "[core]\n\thooksPath = .githooks\n\tfsmonitor = touch /tmp/hostile\n",
    "bare/HEAD": "ref: refs/heads/main\n",
    "bare/config": "[core]\n\tbare = true\n\tfsmonitor = touch /tmp/hostile\n",
    "bare/objects/x": "",
    "bare/refs/x": "",
    "Dockerfile": "FROM scratch\nWORKDIR /proc/self/fd/8\nRUN touch /tmp/hostile\n",
    "--upload-pack=touch hostile": "",
    "odd\n\x1b[31m;]]>\u202e.py": f"# {SCRIPT}\n",
}
"""Beside the code of each commit: what is to make git, an engine or a report run something."""

LEVEL = "LEVEL = {level}\n"
BENCH = '''\
"""Tries what a run must not be able to do; each that it can do makes it a hundred times slower than it is."""
import ctypes, json, os, socket, sys, time

source, result, fence = sys.argv[1:4]
sys.path.insert(0, source)
from level import LEVEL
import deed


def connects(address):
    with socket.create_connection(address, 1.0):
        pass


def sees_a_network():
    # Elsewhere than in a box nobody may answer either.
    if {name for _, name in socket.if_nameindex()} == {"lo"}:
        raise OSError("there is none")


def writes(path):
    with open(path, "w") as file:
        file.write("hostile")


def asks(call, *arguments):
    if getattr(ctypes.CDLL(None, use_errno=True), call)(*arguments) != 0:
        raise OSError(ctypes.get_errno(), call)


ATTEMPTS = [
    lambda: connects(("1.1.1.1", 80)),
    lambda: connects(("169.254.169.254", 80)),
    sees_a_network,
    lambda: os.stat("/var/run/docker.sock"),
    lambda: os.stat("/run/docker.sock"),
    lambda: writes("/etc/hostile"),
    lambda: writes(source + "/level.py"),
    lambda: writes(os.path.dirname(os.path.abspath(__file__)) + "/bench.py"),
    lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    lambda: os.setuid(0),
    lambda: socket.sethostname("hostile"),
    lambda: asks("mount", b"none", b"/mnt", b"tmpfs", 0, None),
    lambda: asks("ptrace", 0x4206, 1, None, None),  # PTRACE_SEIZE: whoever may does not stop it
]


def succeeds(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True


through = sum(map(succeeds, ATTEMPTS)) if fence == "fenced" else 0
# Before the deed, which may put anything in its place: a link would be written through.
with open(result, "w") as file:
    json.dump({"level": LEVEL * (1 + 99 * through)}, file)
deed.act(result)
'''
SCENARIO = """\
schema = 1
name = "hostile"
[build]
image = "{image}"
steps = []
submodules = "fetch"
[run]
command = ["python3", "{{scenario}}/bench.py", "{{source}}", "{{out}}/result.json", "{fence}", "{mark}", "{port}"]
timeout_seconds = 4
memory_bytes = 402653184
warmup_runs = 0
[[metrics]]
name = "level"
file = "result.json"
exact = true
[profile]
profiler = "py-spy"
captures = 1
"""


def make_history(top: Path, deeds: Mapping[str, Deed]) -> Sandbox:
    """A good commit, one for each deed, and a bad one that is twice as slow."""
    made = Sandbox.make(top)
    add_commit(made, MESSAGE, {**TREE, "level.py": LEVEL.format(level=1.0), "deed.py": HARMLESS})
    made.git("tag", "good")
    for name, deed in deeds.items():
        content = made.git("hash-object", "-w", "--stdin", given=b"x")
        planted = dict.fromkeys(deed.names, f"100644 {content}")
        add_commit(made, f"{name} {NAME}\n", {"deed.py": deed.code}, planted)
    add_commit(made, MESSAGE, {"level.py": LEVEL.format(level=2.0), "deed.py": HARMLESS})
    made.git("update-ref", f"refs/heads/{REF}", "HEAD")
    return made


def make_dockerfiles(top: Path, image: str) -> Sandbox:
    """A good commit, one whose Dockerfile works where no directory is but the engine's own, and a bad one."""
    made = Sandbox.make(top)
    plain, escape = f"FROM {image}\n", "WORKDIR /proc/self/fd/8\nRUN touch ../../../../tmp/hostile hostile\n"
    add_commit(made, MESSAGE, {"Dockerfile": plain, "level.py": LEVEL.format(level=1.0), "deed.py": HARMLESS})
    made.git("tag", "good")
    add_commit(made, MESSAGE, {"Dockerfile": plain + escape})
    add_commit(made, MESSAGE, {"Dockerfile": plain, "level.py": LEVEL.format(level=2.0)})
    return made


def add_commit(
    made: Sandbox, message: str, files: Mapping[str, str | bytes], planted: Mapping[str, str] = MappingProxyType({})
) -> None:
    """A commit as git itself would not make one: any bytes for a message and an author, and whatever is `planted`:
    mode and object by path, of things that no work tree need be able to hold."""
    made.write(files)
    made.now += 60
    made.git("add", "--all")
    made.git("update-index", "-z", "--index-info", given=_entries(planted))
    tree = made.git("write-tree")
    made.git("update-index", "-z", "--index-info", given=_entries(dict.fromkeys(planted, f"0 {'0' * len(tree)}")))
    head = made.git("rev-parse", "--quiet", "--verify", "HEAD", fails=True)
    parent = f"parent {head}\n" if head else ""
    who = f"author {PERSON} {made.now} +0000\ncommitter {PERSON} {made.now} +0000"
    text = f"tree {tree}\n{parent}{who}\n\n{message}".encode()
    commit = made.git("hash-object", "-t", "commit", "-w", "--literally", "--stdin", given=text)
    made.git("update-ref", "HEAD", commit)


def make_modules(top: Path) -> Sandbox:
    """A good commit, one for each .gitmodules whose address is refused, one with a submodule that no file system holds,
    and a bad one with a submodule that brings a hook, whose path is to make it one of the repository's."""
    made, library = Sandbox.make(top / "repository"), Sandbox.make(top / "library")
    library.commit("hooks", {"post-checkout": "#!/bin/sh\ntouch /tmp/hostile\n"})
    hooks = library.sha("HEAD")
    add_commit(library, NAME, {}, {"n" * 1000: f"100644 {library.sha('HEAD:post-checkout')}"})
    add_commit(made, MESSAGE, {"level.py": LEVEL.format(level=1.0), "deed.py": HARMLESS})
    made.git("tag", "good")
    for name, modules in REFUSED_MODULES.items():
        add_commit(made, f"{name} {NAME}\n", {".gitmodules": modules}, {"b": f"160000 {'1' * 40}"})
    modules = RETURN_MODULES.format(url=library.top)
    add_commit(made, f"a long name {NAME}\n", {".gitmodules": modules}, {"b\r": f"160000 {library.sha('HEAD')}"})
    looks = "import os\ndef act(result):\n    os.stat(os.path.dirname(__file__) + '/b\\r/post-checkout')\n"
    files = {"level.py": LEVEL.format(level=2.0), "deed.py": looks}
    link = made.git("hash-object", "-w", "--stdin", given=b".git/modules/b/hooks")
    planted = {"b\r": f"160000 {hooks}", "b": f"120000 {link}"}
    add_commit(made, MESSAGE, files, planted)
    return made


def make_named(top: Path) -> Sandbox:
    """A good commit and a bad one that is twice as slow, both with functions and files of names that mean harm."""
    made = Sandbox.make(top)
    for tag, level in (("good", 1.0), ("bad", 2.0)):
        code = f"SECONDS = {level / 10}\n{NAMED}"
        add_commit(made, MESSAGE, {**TREE, "level.py": LEVEL.format(level=level), "deed.py": code})
        made.git("tag", tag)
    return made


def _entries(planted: Mapping[str, str]) -> bytes:
    """What `git update-index -z --index-info` reads."""
    return b"".join(f"{about}\t{path}\0".encode() for path, about in planted.items())


def write_scenario(top: Path, image: str, fence: str, mark: str = "none", port: int = 1) -> Path:
    """The scenario that runs them; its processes have `mark` among their words."""
    top.mkdir()
    (top / "bench.py").write_text(BENCH)
    (top / "scenario.toml").write_text(SCENARIO.format(image=image, fence=fence, mark=mark, port=port))
    return top
