"""The databases on which each contract is tried."""

from pathlib import Path

import pytest

from bisector.adapters.store.database import sqlite_url

POSTGRESQL = pytest.param("postgresql", marks=pytest.mark.xdist_group("postgres"))


@pytest.fixture(params=["sqlite", POSTGRESQL])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A new database on each."""
    if request.param == "sqlite":
        return sqlite_url(tmp_path / "b.sqlite3")
    made: str = request.getfixturevalue("postgres").fresh()
    return made
