"""`bisector export`: tables of what jobs left, as CSV and as Parquet."""

import csv
import io
import subprocess
import sys
from pathlib import Path

import pytest

from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled
from bisector.report.tables.columns import TABLES, Kind
from tests.entry.conftest import Cli

WORLD = "candidates=8,culprit=5,effect=0.2,noise=0.01"
OTHER = "candidates=2"


@pytest.fixture
def jobs(cli: Cli) -> Cli:
    """Two jobs, of two repositories."""
    assert cli("bisect", "good", "bad", "--simulate", WORLD).code == 0
    assert cli("bisect", "good", "bad", "--simulate", OTHER).code == 1
    return cli


def rows_of(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_a_table_goes_to_standard_output_and_nothing_else_does(jobs: Cli) -> None:
    done = jobs("export", "jobs")
    assert done.code == 0
    assert [(row["job"], row["verdict"]) for row in rows_of(done.out)] == [("1", "culprit"), ("2", "not_reproduced")]
    assert done.err == "jobs: 2 rows\n"
    (culprit,) = rows_of(jobs("export", "culprits").out)
    assert (culprit["job"], culprit["subject"], culprit["verified"]) == ("1", "Change 5", "true")
    samples = rows_of(jobs("export", "samples").out)
    (first, _) = rows_of(done.out)
    of_first = [row for row in samples if row["job"] == "1" and row["purpose"] != "warmup"]
    assert str(len(of_first)) == first["runs"]
    wall = sum(float(row["wall_seconds"]) for row in samples if row["job"] == "1")
    assert wall == pytest.approx(float(first["run_seconds"]))


def test_rows_can_be_chosen(jobs: Cli) -> None:
    def found(*arguments: str) -> set[str]:
        return {row["job"] for row in rows_of(jobs("export", "samples", *arguments).out)}

    assert found() == {"1", "2"}
    assert found("--job", "2") == {"2"}
    assert found("--repo", f"simulated:{OTHER}") == {"2"}
    assert found("--repo", f"simulated:{OTHER}", "--job", "1") == set()
    assert found("--scenario", "simulated") == {"1", "2"}
    assert found("--scenario", "elsewhere") == set()
    assert found("--since", "1h") == {"1", "2"}
    assert found("--since", "2000-01-01") == {"1", "2"}
    assert found("--since", "2999-01-01T00:00") == set()
    assert "not a date" in jobs("export", "jobs", "--since", "2026-13-01").err
    assert jobs("export", "jobs", "--job", "17").code == 2


def test_every_table_as_parquet_is_what_it_is_as_csv(jobs: Cli) -> None:
    from pyarrow import parquet

    assert jobs("export", "all", "--output", "as-csv").code == 0
    assert jobs("export", "all", "--format", "parquet", "--output", "as-parquet").code == 0
    assert {path.name for path in Path("as-parquet").iterdir()} == {f"{name}.parquet" for name in TABLES}
    for name, table in TABLES.items():
        read = parquet.read_table(f"as-parquet/{name}.parquet")
        kinds = {column.name: column.kind for column in table.columns}
        assert read.schema.names == list(kinds)
        assert read.schema.field(0).metadata == {b"about": table.columns[0].about.encode()}
        written = [{column: as_text(value, kinds[column]) for column, value in row.items()} for row in read.to_pylist()]
        assert written == rows_of(Path(f"as-csv/{name}.csv").read_text())
    assert parquet.read_metadata("as-parquet/samples.parquet").num_rows > 10


def as_text(value: object, kind: Kind) -> str:
    if value is None:
        return ""
    if kind is Kind.MOMENT:
        return f"{value:%Y-%m-%dT%H:%M:%S.%f}Z"
    return str(value).lower() if kind is Kind.BOOLEAN else repr(value) if kind is Kind.REAL else str(value)


def test_a_file_is_whole_or_what_it_was_before(jobs: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    import bisector.cli.exporting as exporting

    Path("jobs.csv").write_text("before")

    def broken(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(exporting, "csv_lines", broken)
        done = jobs("export", "jobs", "--output", "jobs.csv")
    assert done.code == 5
    assert "No space left on device (jobs.csv)" in done.err
    assert Path("jobs.csv").read_text() == "before"
    assert [path.name for path in Path().glob(".*")] == []
    assert jobs("export", "jobs", "--output", "jobs.csv").code == 0
    assert len(rows_of(Path("jobs.csv").read_text())) == 2


def test_who_stops_it_finds_what_was_there_before(jobs: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    Path("jobs.csv").write_text("before")

    def check(stop: StopSignal) -> None:
        """Ctrl-C, once the file has been begun."""
        assert Path(".jobs.csv.new").exists()
        raise Cancelled("Ctrl-C")

    monkeypatch.setattr(StopSignal, "check", check)
    done = jobs("export", "jobs", "--output", "jobs.csv")
    assert done.code == 130
    assert "stopped (Ctrl-C) (jobs.csv). That file is as it was before." in done.err
    assert Path("jobs.csv").read_text() == "before"
    assert [path.name for path in Path().glob(".*")] == []


def test_what_cannot_be_says_what_to_do(cli: Cli) -> None:
    assert "Name a directory with --output" in cli("export", "all").err
    assert "Name a file with --output" in cli("export", "jobs", "--format", "parquet").err
    assert cli("export", "jobs").err == "jobs: 0 rows\n"


def test_without_pyarrow_parquet_says_what_to_install_and_csv_works(cli: Cli, tmp_path: Path) -> None:
    hide = (
        "import sys; sys.modules['pyarrow'] = None; from bisector.cli.main import entry; sys.exit(entry(sys.argv[1:]))"
    )
    command = [sys.executable, "-c", hide, "export", "jobs"]
    done = subprocess.run([*command, "--output", "a.parquet"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "pip install 'bisector[parquet]'" in done.stderr
    assert not list(Path().glob("*a.parquet*"))
    assert subprocess.run(command, capture_output=True, check=True).stdout.startswith(b"job,created_at,")
