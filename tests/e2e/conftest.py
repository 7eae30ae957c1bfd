"""What the tests of whole bisects share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bisector.cli.demo_history import demo_stream
from bisector.engine.stop import StopSignal
from bisector.wiring import make_repository
from tests.helpers.installs import Install, install_at, need_engine
from tests.helpers.repositories import Sandbox


@pytest.fixture
def local_install(tmp_path: Path) -> Iterator[Install]:
    """A new install that uses no engine."""
    with install_at(tmp_path / "install") as made:
        yield made


@pytest.fixture
def docker_install(tmp_path: Path) -> Iterator[Install]:
    """A new install on the real engine, of which nothing is left there."""
    need_engine()
    with install_at(tmp_path / "install", engine=True) as made:
        yield made


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Sandbox:
    """The demo repository."""
    top = tmp_path_factory.mktemp("demo") / "repository"
    make_repository(top, demo_stream(), StopSignal())
    return Sandbox(top)
