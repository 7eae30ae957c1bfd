"""A history whose commits mean harm: what a run of them tries, how they end, and what they are called."""

from pathlib import Path

from tests.helpers.repositories import Sandbox

SCRIPT = "<script>document.title='hostile'</script>"
MESSAGE = f"{SCRIPT}\n\n]]> \x1b[31m \u202e ;--upload-pack=touch${{IFS}}hostile\n" + "x" * 100_000
MODULES = (
    '[submodule "a"]\n\tpath = a\n\turl = ext::sh -c touch% /tmp/hostile\n'
    '[submodule "b"]\n\tpath = b\r\n\turl = -u./hostile.sh\n\tupdate = !touch /tmp/hostile\n'
)
"""A .gitmodules that git itself takes for an attack."""
TREE: dict[str, str | bytes] = {
    ".lfsconfig": "[lfs]\n\turl = file:///etc\n",
    ".githooks/post-checkout": "#!/bin/sh\ntouch /tmp/hostile\n",
    "bare/HEAD": "ref: refs/heads/main\n",
    "bare/config": "[core]\n\tbare = true\n\tfsmonitor = touch /tmp/hostile\n",
    "bare/objects/x": "",
    "bare/refs/x": "",
    "--upload-pack=touch hostile": "",
    "odd\n\x1b[31m;]]>\u202e.py": f"# {SCRIPT}\n",
}
"""Beside the code of each commit: what is to make git or a report run something."""

LEVEL = "LEVEL = {level}\n"
HARMLESS = "def act() -> None:\n    pass\n"
DEEDS = {
    "leaves without a result": "import os\ndef act():\n    os._exit(0)\n",
    "prints a result and hangs on": (
        "import signal, time\ndef act():\n    signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
        "    print('{\"level\": 0.001}', flush=True)\n    time.sleep(600)\n"
    ),
    "prints without end": "import os\ndef act():\n    while True:\n        os.write(1, b'x' * (1 << 20))\n",
}
"""How a commit ends that cannot be tested; these harm nothing that has no fence."""
BOMBS = {
    "forks without end": (
        "import os\ndef act():\n    while True:\n"
        "        try:\n            os.fork()\n        except OSError:\n            pass\n"
    ),
    "takes all memory": "def act():\n    held = []\n    while True:\n        held.append(bytearray(1 << 24))\n",
    "fills what it can write to": (
        "import itertools\ndef act():\n    for number in itertools.count():\n        for top in ('/tmp', '/dev/shm'):\n"
        "            try:\n                open(f'{top}/{number}', 'wb').write(b'x' * (1 << 24))\n"
        "            except OSError:\n                pass\n"
    ),
}
"""The same, for what has a fence alone."""

OUTCOMES = {
    "leaves without a result": "no_result",
    "prints a result and hangs on": "timeout",
    "prints without end": "bench_failed",
    "forks without end": "timeout",
    "takes all memory": "oom",
    "fills what it can write to": "timeout",
}

BENCH = '''\
"""Tries what a run must not be able to do; each that it can do makes it a hundred times slower than it is."""
import ctypes, json, os, socket, sys, time

sys.path.insert(0, sys.argv[1])
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


ATTEMPTS = [
    lambda: connects(("1.1.1.1", 80)),
    lambda: connects(("169.254.169.254", 80)),
    sees_a_network,
    lambda: os.stat("/var/run/docker.sock"),
    lambda: os.stat("/run/docker.sock"),
    lambda: writes("/etc/hostile"),
    lambda: writes(sys.argv[1] + "/level.py"),
    lambda: writes(os.path.dirname(os.path.abspath(__file__)) + "/bench.py"),
    lambda: time.clock_settime(time.CLOCK_REALTIME, time.time()),
    lambda: os.setuid(0),
    lambda: socket.sethostname("hostile"),
]


def succeeds(attempt):
    try:
        attempt()
    except OSError:
        return False
    return True


through = 0
if sys.argv[2] == "fenced":
    libc = ctypes.CDLL(None, use_errno=True)
    through = sum(map(succeeds, ATTEMPTS)) + (libc.mount(b"none", b"/mnt", b"tmpfs", 0, None) == 0)
deed.act()
print(json.dumps({"level": LEVEL * (1 + 99 * through)}))
'''
SCENARIO = """\
schema = 1
name = "hostile"
[build]
image = "{image}"
steps = []
[run]
command = ["python3", "{{scenario}}/bench.py", "{{source}}", "{fence}"]
timeout_seconds = 4
memory_bytes = 268435456
warmup_runs = 0
[[metrics]]
name = "level"
exact = true
"""


def make_history(top: Path, deeds: dict[str, str]) -> Sandbox:
    """A good commit, one for each deed, and a bad one that is twice as slow."""
    made = Sandbox.make(top)
    made.commit(MESSAGE, {**TREE, "level.py": LEVEL.format(level=1.0), "deed.py": HARMLESS})
    made.git("tag", "good")
    for name, deed in deeds.items():
        made.commit(f"{name} {MESSAGE}", {"deed.py": deed})
    made.commit(MESSAGE, {"level.py": LEVEL.format(level=2.0), "deed.py": HARMLESS})
    return made


def write_scenario(top: Path, image: str, fence: str) -> Path:
    """The scenario that runs them."""
    top.mkdir()
    (top / "bench.py").write_text(BENCH)
    (top / "scenario.toml").write_text(SCENARIO.format(image=image, fence=fence))
    return top
