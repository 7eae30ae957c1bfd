"""A question that nothing is known of, and who might work on it: for tests of what only keeps and hands them out."""

from bisector.core.model.request import Request, RunnerName
from bisector.engine.queue import WorkerInfo, WorkerKind
from bisector.formats.scenario import parse_scenario
from tests.helpers.lines import name

REQUEST = Request(
    repository="/repository",
    good=name(1),
    bad=name(2),
    scenario=parse_scenario(b'name = "x"\n[run]\ncommand = ["true"]\n', where="x"),
    runner=RunnerName.LOCAL,
)


def about_worker(
    process: str = "p", *, host: str = "h", kind: WorkerKind = WorkerKind.WORKER, host_class: str = "default"
) -> WorkerInfo:
    """What a worker of two cores says of itself."""
    return WorkerInfo(
        kind=kind,
        host=host,
        name=host,
        host_classes=(host_class,),
        process=process,
        pid=1,
        cores=2,
        fingerprint="f",
        version="1",
    )
