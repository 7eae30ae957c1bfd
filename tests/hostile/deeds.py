"""What the code of a hostile commit does when it is run, and what must become of that run."""

from dataclasses import dataclass

HARMLESS = "def act(result):\n    pass\n"

NAMED = """\
import time
NAMES = ["<script>document.title='hostile'</script>]]>;\\n\\0\\x1b[31m\\u202e", "n" * 1_000_000]

def work(seconds):
    end = time.perf_counter() + seconds
    while time.perf_counter() < end:
        sum(range(1000))

def called(name, file):
    return type(work)(work.__code__.replace(co_name=name, co_qualname=name, co_filename=file), globals(), name)

def act(result):
    for name in NAMES:
        called(name, __file__)(SECONDS)
        called("work", name)(SECONDS)
"""
"""Functions and files of such names, for a profile to show; `SECONDS` is yet to be set."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Deed:
    """Code whose `act` finds a sound result at its place; the outcome of its runs, and words of the reason."""

    outcome: str
    code: str
    reason: str = ""
    names: tuple[str, ...] = ()
    """Of files in the commit that no work tree can hold."""


LINGER = "forges a result and hangs on"
DEEDS = {
    "leaves without a result": Deed(
        outcome="no_result",
        reason="it was not written",
        code="import os\ndef act(result):\n    os.unlink(result)\n    os._exit(0)\n",
    ),
    LINGER: Deed(
        outcome="timeout",
        code="""\
import signal, time
def act(result):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    open(result, "w").write('{"level": 0.001}')
    print('{"level": 0.001}', flush=True)
    time.sleep(600)
""",
    ),
    "prints a gigabyte": Deed(
        outcome="bench_failed",
        reason="wrote more than 16 MiB to its output",
        code="import os\ndef act(result):\n    for _ in range(1024):\n        os.write(1, b'x' * (1 << 20))\n",
    ),
    "leaves a link": Deed(
        outcome="no_result",
        reason="it is a link",
        code="import os\ndef act(result):\n    os.unlink(result)\n    os.symlink('/etc/passwd', result)\n",
    ),
    "leaves another name of a file": Deed(
        # Where it can have one, that is: in a container the checkout lies on another file system.
        outcome="no_result",
        code="""\
import os
def act(result):
    os.unlink(result)
    try:
        os.link(__file__, result)
    except OSError:
        pass
""",
    ),
    "leaves a pipe": Deed(
        outcome="no_result",
        reason="it is not a regular file",
        code="import os\ndef act(result):\n    os.unlink(result)\n    os.mkfifo(result)\n",
    ),
    "leaves ten gigabytes of nothing": Deed(
        outcome="no_result",
        reason="it is over 16 MiB",
        code="import os\ndef act(result):\n    os.truncate(result, 10 << 30)\n",
    ),
    "leaves an archive": Deed(
        outcome="no_result",
        code="""\
import tarfile
def act(result):
    with tarfile.open(result, "w") as archive:
        for name in ("../" * 20 + "tmp/hostile", "/tmp/hostile", "../hostile"):
            archive.addfile(tarfile.TarInfo(name))
""",
    ),
    "writes a result that is to be shown": Deed(
        outcome="no_result",
        code="""\
import json
TEXT = "<script>document.title='hostile'</script>]]>;\\n\\0\\x1b[31m\\u202e" + "x" * 1_000_000
def act(result):
    print(TEXT)
    with open(result, "w") as file:
        json.dump({TEXT: 1, "level": TEXT}, file, ensure_ascii=False)
""",
    ),
    "fails with what is to be shown": Deed(
        outcome="bench_failed",
        reason="<script>document.title='hostile'</script>",
        code="""\
def act(result):
    raise RuntimeError("x" * 1_000_000 + "\\n<script>document.title='hostile'</script>]]>;\\0\\x1b[31m\\u202e")
""",
    ),
    "leaves a server behind": Deed(
        outcome="no_result",
        reason="it was not written",
        code="""\
import os, socket, sys, time
def act(result):
    os.unlink(result)
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            open_ones = [socket.create_server(("127.0.0.1", int(sys.argv[5]))), socket.socket(socket.AF_UNIX)]
            open_ones[1].bind("\\0" + sys.argv[4])
            open_ones[1].listen()
            os.write(writing, b"x")
            time.sleep(600)
        os._exit(0)
    os.close(writing)
    ready = os.read(reading, 1)
    time.sleep(0.6)  # to be seen
    os._exit(0 if ready else 3)
""",
    ),
    "has a name that no file system holds": Deed(
        outcome="build_failed",
        reason="is longer than file systems take",
        code=HARMLESS,
        names=("\x1b[31m]]>" + "n" * 1_000_000,),
    ),
}
"""These harm nothing that has no fence."""

SURVIVED = "forks without end in a child"
LONG_BOMBS = ("forks without end", "takes all memory")
BOMBS = {
    SURVIVED: Deed(
        # Its run ends well, and with it all that it left.
        outcome="ok",
        code="""\
import os, time
def act(result):
    if os.fork() == 0:
        while True:
            try:
                os.fork()
            except OSError:
                time.sleep(1)
    time.sleep(0.3)
""",
    ),
    "takes all memory in a child": Deed(
        outcome="oom",
        code="""\
import os
def act(result):
    if os.fork() == 0:
        held = []
        while True:
            held.append(bytearray(1 << 24))
    os.wait()
""",
    ),
    "fills what it can write to": Deed(
        outcome="bench_failed",
        reason="No space left on device",
        code="""\
import itertools, os
def act(result):
    for top in ("/tmp", "/dev/shm"):
        failed = None
        for number in itertools.count():
            try:
                with open(f"{top}/{number}", "wb") as file:
                    file.write(b"x" * (1 << 24))
            except OSError as error:
                failed = error
                break
    raise failed
""",
    ),
    "forks without end": Deed(
        outcome="timeout",
        code="""\
import os
def act(result):
    while True:
        try:
            os.fork()
        except OSError:
            pass
""",
    ),
    "takes all memory": Deed(
        outcome="oom",
        code="def act(result):\n    held = []\n    while True:\n        held.append(bytearray(1 << 24))\n",
    ),
}
"""The same, for what has a fence alone."""
