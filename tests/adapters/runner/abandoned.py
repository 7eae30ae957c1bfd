"""A process that builds or runs something and is then killed: `python -m tests.adapters.runner.abandoned …`."""

import os
import sys
from pathlib import Path

from bisector.adapters.docker.runner import DockerRunner
from bisector.adapters.local.runner import LocalRunner
from bisector.engine.ports import Runner
from tests.adapters.runner.laboratory import Laboratory


def main(name: str, instance: str, cache: str, root: str, image_id: str, what: str) -> None:
    """Do `what` ("build" or "run") so that a process with MARK in its command line is at work for long."""
    mark = os.environ["MARK"]  # not an argument: this process itself is not to be found by it
    if name == "docker":
        runner: Runner = DockerRunner(instance, Path(cache), build_env={})
    else:
        runner = LocalRunner(Path(cache), host_env=os.environ)
    lab = Laboratory(runner=runner, image_id=image_id or None, root=Path(root))
    forever = f"setsid sleep {mark} & sleep {mark}"
    if what == "build":
        lab.make(lab.order({"a": ""}, steps=(forever,), key=("abad1dea" * 8)))
    else:
        lab.run(lab.build({"a": ""}, key=("abad1dea" * 8)), "sh", "-c", forever, timeout_seconds=600.0)


if __name__ == "__main__":
    main(*sys.argv[1:])
