"""The recipes that count SQL statements, as the documentation has them, on real databases."""

import os
import re
import subprocess
import sys
import time
import tomllib
from pathlib import Path

import psycopg
import pytest

from bisector.formats.results import read_value
from bisector.formats.scenario import scenario_from
from tests.formats.results.fixtures import USAGE
from tests.helpers.postgres import USER, Server

PAGE = (Path(__file__).parents[3] / "docs" / "results.md").read_text()
PART = PAGE[PAGE.index("## SQL statements") :]
HOOK = PART.split("```python\n")[1].split("```")[0]
TABLE = tomllib.loads(PART.split("```toml\n")[1].split("```")[0])
PLAIN = """
import sqlite3
link = sqlite3.connect(":memory:")
link.execute("CREATE TABLE t (a)")
link.executemany("INSERT INTO t VALUES (?)", [(1,), (2,), (3,)])
for row in link.execute("SELECT a FROM t").fetchall():
    link.execute("SELECT a\\n FROM t WHERE a = ?", row).fetchall()
"""
ORM = """
from sqlalchemy import Column, Integer, create_engine, select
from sqlalchemy.orm import Session, declarative_base
Base = declarative_base()
class T(Base):
    __tablename__ = "t"
    a = Column(Integer, primary_key=True)
engine = create_engine("sqlite://")
Base.metadata.create_all(engine)
with Session(engine) as session:
    session.add_all([T(a=a) for a in range(5)])
    session.commit()
    for each in session.scalars(select(T)).all():
        session.refresh(each)
"""


@pytest.mark.parametrize(
    ("program", "expected"),
    [(PLAIN, 3 + 1 + 3), (ORM, 5 + 1 + 5)],
    ids=["sqlite3", "SQLAlchemy"],
)
def test_statements_of_a_python_program_are_counted(tmp_path: Path, program: str, expected: int) -> None:
    (tmp_path / "sitecustomize.py").write_text(HOOK)
    env = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path), "SQL_LOG": str(tmp_path / "sql.log")}
    assert set(TABLE["run"]["env"]) == {"PYTHONPATH", "SQL_LOG"}
    subprocess.run([sys.executable, "-c", program], env=env, check=True, timeout=60)
    metric = scenario_from({"name": "s", **TABLE}, where="here").metrics[0]
    log = (tmp_path / metric.file).read_bytes()
    counted = read_value(metric, USAGE, b"", {metric.file: log})
    assert counted == expected, log.decode()


def test_statements_in_the_log_of_postgresql_are_counted(postgres: Server) -> None:
    found = re.search(r"`source = \"(count:LOG:[^`]*)\"`", PART)
    assert found is not None
    log = postgres.directory / "log"
    before = log.stat().st_size
    where = f"host=127.0.0.1 port={postgres.port} user={USER} dbname=postgres options='-c log_statement=all'"
    with psycopg.connect(where, autocommit=True) as link:
        for number in range(7):
            link.execute("SELECT %s, 'counted'", (number,))
    time.sleep(0.2)
    metric = scenario_from(
        {"name": "s", "run": {"command": ["x"]}, "metrics": [{"name": "n", "source": found[1], "file": "log"}]},
        where="here",
    ).metrics[0]
    assert read_value(metric, USAGE, b"", {"log": log.read_bytes()[before:]}) == 7
