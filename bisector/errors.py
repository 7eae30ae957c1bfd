"""Every error the product raises on purpose, by blame.

    BisectorError                 what happened, where, what to do next; an exit code
    ├── UsageError            2   the request: an argument, a ref, a scenario file
    │   ├── RefError              a ref or a range that cannot be bisected
    │   ├── ScenarioError         a scenario, a metric or a settings file that cannot be used
    │   └── JobError              a job not in a state for this
    │       └── NoSuchJob         a job that is not there
    ├── MeasurementFailed     4   the scenario or the history: nothing in it can be measured
    ├── EnvironmentFault      5   the machine: engine gone, no space, an image that cannot be had
    │   ├── StoreError            the database: locked, damaged, away
    │   │   └── NewerDatabase         one of a newer version: waiting does not help
    │   ├── InfraFault            a fault that may pass: retried with a limit, never held against a commit
    │   └── QueueFull             as many jobs wait as may
    ├── Cancelled           130   a person or a signal asked to stop
    │   ├── GivenBack             a worker makes room or ends: the job waits again
    │   └── LeaseLost             another worker has the job by now
    └── InvalidTransition     4   a job was asked to enter a state it cannot reach (a defect of ours)

What may differ between commits (does not build, its run crashes) is a fact, never an exception.
"""

from typing import ClassVar


class BisectorError(Exception):
    """Base of all: `what` happened, `where` (may be empty) and what to do `next` (may be empty)."""

    exit_code: ClassVar[int] = 4
    blame: ClassVar[str] = "bisector"

    def __init__(self, what: str, *, where: str = "", then: str = "") -> None:
        """`then` is the next thing to do, as a sentence without its full stop."""
        super().__init__(what)
        self.what = what
        self.where = where
        self.then = then

    def __str__(self) -> str:
        place = f" ({self.where})" if self.where else ""
        sentences = [f"{self.what}{place}", self.then] if self.then else [f"{self.what}{place}"]
        return " ".join(text if text.endswith((".", "?", "!")) else f"{text}." for text in sentences)


class UsageError(BisectorError):
    """The request cannot be carried out as it was put."""

    exit_code = 2
    blame = "request"


class RefError(UsageError):
    """A ref does not name a commit, or two commits do not span a range."""


class ScenarioError(UsageError):
    """A scenario, metric or settings file cannot be used."""


class JobError(UsageError):
    """The job does not exist, or its state does not allow what was asked."""


class NoSuchJob(JobError):
    """No job has that number."""


class MeasurementFailed(BisectorError):
    """Nothing in the range can be measured with this scenario."""

    exit_code = 4
    blame = "scenario"


class EnvironmentFault(BisectorError):
    """The machine, the engine or a resource outside the repository is at fault."""

    exit_code = 5
    blame = "environment"


class StoreError(EnvironmentFault):
    """The database cannot be used."""


class NewerDatabase(StoreError):
    """The database has a schema that only a newer version knows."""


class InfraFault(EnvironmentFault):
    """A fault that may pass when tried again; never evidence about a commit."""


class QueueFull(EnvironmentFault):
    """As many jobs wait as may."""


class Cancelled(BisectorError):
    """A person or a signal asked to stop."""

    exit_code = 130
    blame = "person"


class GivenBack(Cancelled):
    """The job goes back into the queue: its worker ends, or makes room for a higher priority."""


class LeaseLost(Cancelled):
    """Another worker has the job by now: nothing more is written to it."""


class InvalidTransition(BisectorError):
    """A job was asked to enter a state that its present one does not lead to."""

    exit_code = 4
    blame = "bisector"
