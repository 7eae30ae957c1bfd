"""Tuning of this machine, with what stood there before kept in the state directory."""

from pathlib import Path

from bisector.adapters.tuning import Outcome as Outcome  # noqa: PLC0414  for the command line
from bisector.adapters.tuning import Plan as Plan  # noqa: PLC0414
from bisector.adapters.tuning import is_tuned as is_tuned  # noqa: PLC0414
from bisector.adapters.tuning import plan as plan  # noqa: PLC0414
from bisector.adapters.tuning import tune as tune  # noqa: PLC0414
from bisector.adapters.tuning import tuned as tuned  # noqa: PLC0414
from bisector.adapters.tuning import untune as untune  # noqa: PLC0414
from bisector.wiring import Wiring


def kept(wiring: Wiring) -> Path:
    """The file that says what stood where before it was changed."""
    return wiring.settings.state_dir / "tuned.json"
