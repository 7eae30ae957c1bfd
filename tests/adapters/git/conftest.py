from collections.abc import Callable
from pathlib import Path

import pytest

from bisector.adapters.git.command import Git
from bisector.adapters.git.repository import GitRepository
from bisector.engine.stop import StopSignal
from tests.helpers.repositories import Sandbox

Opener = Callable[..., GitRepository]


@pytest.fixture
def sandbox(tmp_path: Path) -> Sandbox:
    """An empty repository with a work tree."""
    return Sandbox.make(tmp_path / "source")


@pytest.fixture
def cache(tmp_path: Path) -> Path:
    """Where mirrors are kept; nothing is there yet."""
    return tmp_path / "cache"


@pytest.fixture
def opened(cache: Path) -> Opener:
    """Opens what is at a place or an address, all with one cache."""

    def opening(location: Path | str, **more: object) -> GitRepository:
        return GitRepository(str(location), cache, StopSignal(), **more)  # type: ignore[arg-type]

    return opening


def git_on(git_dir: Path) -> Git:
    """The product's git on a repository of the test."""
    return Git(directory=git_dir, git_dir=git_dir, stop=StopSignal())
