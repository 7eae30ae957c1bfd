"""The state that runs find, on the command line."""

import hashlib
from pathlib import Path

from tests.entry.conftest import Cli
from tests.helpers.repositories import Sandbox

SCENARIO = """\
name = "state"
[run]
command = ["sh", "-c", "cat {state}/words | wc -l"]
setup = ["mkdir {state}/once"]
prepare = ["sleep 0.2", "cp {data.words} {state}/words"]
seed = 5
[[data]]
name = "words"
path = "words.txt"
sha256 = "SHA"
[[metrics]]
name = "lines"
source = "number"
"""


def test_what_is_prepared_is_told_and_a_wrong_hash_before_anything_is_built(
    cli: Cli, repository: Sandbox, tmp_path: Path
) -> None:
    made = tmp_path / "state-scenario"
    made.mkdir()
    (made / "words.txt").write_text("one\ntwo\n")
    sha = hashlib.sha256(b"one\ntwo\n").hexdigest()
    (made / "scenario.toml").write_text(SCENARIO.replace("SHA", sha))
    where = ("--repo", repository.top, "--ref", "bad", "--runner", "local")
    done = cli("scenario", "check", made, *where)
    assert done.code == 0, done.err
    assert f"data       words: words.txt, {sha}\nseed       5\n" in done.out
    assert "prepare    sleep 0.2; cp {data.words} {state}/words\n" in done.out
    assert ", prepared in " in done.out
    assert "\nlines      median 2" in done.out

    (made / "scenario.toml").write_text(SCENARIO.replace("SHA", "0" * 64))
    wrong = cli("scenario", "run", made, *where)
    assert (wrong.code, f"its SHA-256 is {sha}, not {'0' * 64} ({made / 'words.txt'})" in wrong.err) == (2, True)
    assert "build" not in wrong.out

    (made / "scenario.toml").write_text(SCENARIO.replace("SHA", sha).replace("cp {", "cp -X {"))
    failed = cli("scenario", "run", made, *where)
    assert (failed.code, "bench_failed: prepare failed: exit status 1: " in failed.out) == (4, True)
