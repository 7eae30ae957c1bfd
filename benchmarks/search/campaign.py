"""Playing many trials, and keeping each in a file, so that a long run goes on where it stopped."""

import hashlib
import json
import os
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.search.cells import Cell
from benchmarks.search.knowing import FLOORS
from benchmarks.search.ours import Planner
from benchmarks.search.peers import PEERS
from benchmarks.search.strategies import Strategy, Trial, play

OURS, CALIBRATED, THIRD = "bisector", "bisector-calibrated", "bisector-third"
CORE = Path(__file__).resolve().parents[2] / "bisector" / "core"
CHUNK = 5


@dataclass(frozen=True, kw_only=True)
class Campaign:
    """What is played: so many trials of each cell with each strategy, from one seed, kept in `cache`."""

    cells: tuple[Cell, ...]
    strategies: tuple[str, ...]
    trials: int
    seed: int
    cache: Path

    def play(self, processes: int) -> Iterator[str]:
        """Play what is not yet kept; yields the name of every cell and strategy when it is complete."""
        with ProcessPoolExecutor(max_workers=processes) as pool:
            for cell in self.cells:
                for strategy in self.strategies:
                    self._complete(cell, strategy, pool)
                    yield f"{cell.name} {strategy}"

    def trials_of(self, cell: Cell, strategy: str) -> tuple[Trial, ...]:
        """The kept trials, in their order."""
        kept = self._kept(cell, strategy)
        return tuple(kept[number] for number in sorted(kept) if number < self.trials)

    def _complete(self, cell: Cell, strategy: str, pool: ProcessPoolExecutor) -> None:
        kept = self._kept(cell, strategy)
        missing = [number for number in range(self.trials) if number not in kept]
        chunks = [tuple(missing[at : at + CHUNK]) for at in range(0, len(missing), CHUNK)]
        file = self._file(cell, strategy)
        file.parent.mkdir(parents=True, exist_ok=True)
        played = pool.map(
            _play_chunk, [cell] * len(chunks), [strategy] * len(chunks), chunks, [self.seed] * len(chunks)
        )
        with file.open("a") as out:
            for chunk, trials in zip(chunks, played, strict=True):
                for number, trial in zip(chunk, trials, strict=True):
                    out.write(json.dumps({"trial": number, **asdict(trial)}) + "\n")
                out.flush()

    def _kept(self, cell: Cell, strategy: str) -> dict[int, Trial]:
        file = self._file(cell, strategy)
        if not file.exists():
            return {}
        records = [json.loads(line) for line in file.read_text().splitlines()]
        return {record.pop("trial"): Trial(**record) for record in records}

    def _file(self, cell: Cell, strategy: str) -> Path:
        version = core_version() if strategy.startswith(OURS) else "peers"
        return self.cache / version / f"{self.seed}" / strategy / f"{cell.name}.jsonl"


def core_version() -> str:
    """A digest of the deciding code: trials of another planner are never taken for this one's."""
    state = hashlib.sha256()
    for file in sorted(CORE.rglob("*.py")):
        state.update(file.read_bytes())
    return state.hexdigest()[:12]


def strategy_called(name: str, cell: Cell) -> Strategy:
    """The strategy of that name, told what the cell's user would tell it."""
    if name in {OURS, CALIBRATED, THIRD}:
        before = 2 if name == THIRD else 0
        calibrated = name == CALIBRATED
        return Planner(min_effect=cell.min_effect, exact=cell.regime == "exact", calibrated=calibrated, before=before)
    return FLOORS[name] if name in FLOORS else PEERS[name]


def _play_chunk(cell: Cell, strategy: str, numbers: Iterable[int], seed: int) -> list[Trial]:
    return [play(strategy_called(strategy, cell), cell.world(number, seed)) for number in numbers]


def one_thread_each() -> None:
    """Keep linear algebra in one thread: a process a core is the parallelism there is. Set before workers start."""
    for name in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[name] = "1"
