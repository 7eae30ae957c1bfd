"""`bisector diff`: two profile files in, the difference out, whatever tool made them."""

import json
from pathlib import Path

import pytest

from bisector.formats.profiles import read_profile
from bisector.formats.profiles.gathering import Reading
from tests.entry.conftest import Cli

DATA = Path(__file__).parent.parent / "data" / "profiles"
BEFORE = "main (/b/1/app.py:3);parse (/b/1/app.py:9) 300\nmain (/b/1/app.py:3);emit (/b/1/app.py:20) 100\n"
AFTER = "main (/b/2/app.py:4);parse (/b/2/app.py:11) 700\nmain (/b/2/app.py:4);emit (/b/2/app.py:31) 104\n"


@pytest.fixture
def files(tmp_path: Path) -> tuple[Path, Path]:
    paths = tmp_path / "before.txt", tmp_path / "after.txt"
    for path, text in zip(paths, (BEFORE, AFTER), strict=True):
        path.write_text(text)
    return paths


def test_the_table_names_the_function(cli: Cli, files: tuple[Path, Path]) -> None:
    """The directories and the lines differ, the functions do not."""
    done = cli("diff", *files)
    assert done.code == 0
    assert "parse (app.py:11): 300 samples → 700 samples" in done.out
    assert "emit" not in done.out


def test_every_document(cli: Cli, files: tuple[Path, Path], tmp_path: Path) -> None:
    targets = {kind: tmp_path / f"x.{kind}" for kind in ("html", "svg", "markdown", "json")}
    options = [part for kind, path in targets.items() for part in (f"--{kind}", path)]
    done = cli("diff", *files, "--rate", "100", *options, "--convert", tmp_path / "for-others")
    assert done.code == 0
    assert 'class="flame"' in targets["html"].read_text()
    assert targets["svg"].read_text().startswith("<svg")
    assert "| 99.0 % | `parse` `app.py:11` | 3.00 s → 7.00 s |" in targets["markdown"].read_text()
    result = json.loads(targets["json"].read_text())
    assert result["suspects"][0]["function"] == "parse"
    assert result["after"] == {"total": 8.04, "captures": 1}
    for name, samples in (("before", 400), ("after", 804)):
        for suffix in (".speedscope.json", "-1.folded.txt"):
            again = read_profile((tmp_path / "for-others" / f"{name}{suffix}").read_bytes(), Reading(rate_hz=100))
            assert again.total == pytest.approx(samples / 100)


def test_standard_output_holds_the_document_alone(cli: Cli, files: tuple[Path, Path]) -> None:
    done = cli("diff", *files, "--json", "-")
    assert json.loads(done.out)["differs"] is True
    assert "parse" in done.err


def test_several_captures_a_side_tell_noise(cli: Cli, tmp_path: Path) -> None:
    """parse varies from capture to capture by as much as it seems to have grown; emit does not."""
    for name, counts in (("before", (700, 300, 520)), ("after", (820, 450, 640))):
        (tmp_path / name).mkdir()
        for number, count in enumerate(counts):
            emit = 100 if name == "before" else 200
            (tmp_path / name / f"{number}.txt").write_text(f"main;parse {count}\nmain;emit {emit}\n")
    done = cli("diff", tmp_path / "before", tmp_path / "after")
    assert "emit" in done.out
    assert "parse" not in done.out


def test_work_and_shares(cli: Cli, files: tuple[Path, Path]) -> None:
    less = cli("diff", files[0], files[0], "--work", "1", "2")
    assert "100 % " not in less.out
    assert "costs 200 samples" in less.out
    assert "do not differ" in cli("diff", files[0], files[0], "--work", "1", "2", "--share").out


@pytest.mark.parametrize("other", ["py-spy.speedscope.json", "pyinstrument.pyisession", "pyinstrument.speedscope.json"])
def test_profiles_of_different_tools_of_one_program_hardly_differ(cli: Cli, other: str) -> None:
    done = cli("diff", DATA / "py-spy.raw.txt", DATA / other, "--share", "--json", "-")
    grown = [each["function"] for each in json.loads(done.out)["suspects"] if each["share"] > 0.5]
    assert not [name for name in grown if name in {"main", "rec", "Box.work"}]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("nowhere.txt", "{after}"), "the file cannot be read: No such file or directory (nowhere.txt)"),
        (("{nonsense}", "{after}"), "this is no profile: 2 of its lines are no folded stacks"),
        (("{empty}", "{after}"), "there is no profile in the directory"),
        (("{before}", DATA / "py-spy.speedscope.json"), "Add --share, or --rate"),
        (("{before}", "{after}", "--rate", "0"), "above zero"),
        (("{before}", "{after}", "--work", "1", "-1"), "above zero"),
        (("{before}", "{after}", "--work", "1", "inf"), "above zero"),
        (("{before}", "{after}", "--json", "-", "--markdown", "-"), "only one document"),
    ],
)
def test_bad_input(
    cli: Cli, files: tuple[Path, Path], tmp_path: Path, arguments: tuple[str | Path, ...], told: str
) -> None:
    (tmp_path / "nonsense").write_text("hello\nworld\n")
    (tmp_path / "empty").mkdir()
    names = {"before": files[0], "after": files[1], "nonsense": tmp_path / "nonsense", "empty": tmp_path / "empty"}
    done = cli("diff", *(str(each).format(**names) for each in arguments))
    assert done.code == 2
    assert told in done.err
    assert "Traceback" not in done.err


def test_mixed_units_in_a_directory(cli: Cli, files: tuple[Path, Path], tmp_path: Path) -> None:
    (tmp_path / "mixed").mkdir()
    (tmp_path / "mixed" / "1.txt").write_text(BEFORE)
    (tmp_path / "mixed" / "2.json").write_bytes((DATA / "py-spy.speedscope.json").read_bytes())
    done = cli("diff", tmp_path / "mixed", files[1])
    assert (done.code, "different units" in done.err) == (2, True)
