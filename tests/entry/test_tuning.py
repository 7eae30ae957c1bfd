"""`bisector doctor --tune` on a planted machine: what it says, what it does, and how it ends."""

import os
import signal
import threading
import time
from pathlib import Path

import pytest

from bisector.cli.tuning import tune, untune
from tests.adapters.test_tuning import TUNED, UNTUNED, plant, values
from tests.entry.conftest import Cli


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BISECTOR_STATE_DIR", str(tmp_path / "state"))
    monkeypatch.setenv("BISECTOR_CACHE_DIR", str(tmp_path / "cache"))
    return plant(tmp_path / "root")


def test_it_says_what_it_would_do_and_does_it_when_asked(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert tune(really=False, hold=False, root=root) == 0
    said = capsys.readouterr().out
    assert "would change  turbo           /sys/devices/system/cpu/intel_pstate/no_turbo: 0 → 1\n" in said
    assert values(root) == UNTUNED
    assert tune(really=True, hold=False, root=root) == 0
    assert "Take it back: bisector doctor --untune" in capsys.readouterr().out
    assert values(root) == TUNED
    assert untune(root) == 0
    assert values(root) == UNTUNED
    assert untune(root) == 0
    assert "Nothing is to be taken back" in capsys.readouterr().out


def test_held_it_lasts_until_ctrl_c(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    seen = {}

    def look_and_stop() -> None:
        limit = time.monotonic() + 30
        while values(root) != TUNED and time.monotonic() < limit:
            time.sleep(0.01)
        seen.update(values(root))
        os.kill(os.getpid(), signal.SIGINT)

    looking = threading.Thread(target=look_and_stop)
    looking.start()
    assert tune(really=True, hold=True, root=root) == 0
    looking.join()
    assert seen == TUNED
    assert values(root) == UNTUNED
    assert capsys.readouterr().out.endswith("taken back\n")


def test_of_this_machine_it_only_says(cli: Cli) -> None:
    told = cli("doctor", "--tune")
    assert told.code == 0
    names = ("frequency", "turbo", "address layout", "profilers", "threads")
    assert all(name in told.out for name in names)


@pytest.mark.parametrize(
    ("flags", "why"),
    [
        (("--yes",), "--yes and --hold are for --tune"),
        (("--hold",), "--yes and --hold are for --tune"),
        (("--tune", "--untune"), "--tune and --untune are opposites"),
    ],
)
def test_flags_that_do_not_go_together_are_refused(cli: Cli, flags: tuple[str, ...], why: str) -> None:
    refused = cli("doctor", *flags)
    assert refused.code == 2
    assert why in refused.err
