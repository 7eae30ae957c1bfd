"""The regressions: which clone, which range, what is run, and the commits that are known to have done it."""

from dataclasses import dataclass
from pathlib import Path

FOUND = Path(__file__).parent.parent.parent / "scenarios" / "found"


@dataclass(frozen=True, kw_only=True)
class Case:
    """A range of a project's history with a known regression. `culprits`: the commit of the first-parent line and,
    where that is a merge, the one inside it; each of them where the range holds two regressions."""

    name: str
    clone: str
    good: str
    bad: str
    culprits: tuple[str, ...]
    bench: Path
    package: str
    step: str
    history: str
    libraries: tuple[str, ...] = ()

    def holds(self, commit: str) -> bool:
        """Whether `commit` (in full) is a known one."""
        return commit.startswith(self.culprits)


CASES = (
    Case(
        name="jinja-templates",
        clone="jinja",
        good="27ffd01f",
        bad="b927c9f2",
        culprits=("86b4b38d", "6671b973"),
        bench=FOUND / "jinja-templates" / "bench.py",
        package="jinja2",
        step="large",
        history="a merge; six commits cannot be imported",
        libraries=("markupsafe==2.0.1",),
    ),
    Case(
        name="marshmallow-load",
        clone="marshmallow",
        good="3.4.0",
        bad="3.14.0",
        culprits=("8c34b4b2",),
        bench=FOUND / "marshmallow-load" / "bench.py",
        package="marshmallow",
        step="+24 %",
        history="a plain commit among merges",
        libraries=("packaging==23.2",),
    ),
    Case(
        name="dateutil-parse",
        clone="dateutil",
        good="2.7.2",
        bad="3c7c810",
        culprits=("07d8dc16", "873c5971"),
        bench=FOUND / "dateutil-parse" / "bench.py",
        package="dateutil",
        step="+19 %",
        history="a merge among merges",
        libraries=("six",),
    ),
    Case(
        name="mistune-3.3",
        clone="mistune",
        good="v3.2.1",
        bad="v3.3.0",
        culprits=("5de41fb8", "17c50f6c"),
        bench=FOUND / "mistune-render" / "bench.py",
        package="mistune",
        step="+15 %, -13 %, +10 %",
        history="plain commits; the first step is taken back by the next commit",
        libraries=("typing_extensions",),
    ),
    Case(
        name="mistune-3.1",
        clone="mistune",
        good="v3.0.2",
        bad="v3.1.0",
        culprits=("29d31204", "9b00ace7"),
        bench=FOUND / "mistune-render" / "bench.py",
        package="mistune",
        step="+15 %",
        history="a merge",
        libraries=("typing_extensions",),
    ),
    Case(
        name="packaging-versions",
        clone="packaging",
        good="21.3",
        bad="22.0",
        culprits=("cb21fc7b",),
        bench=FOUND / "packaging-versions" / "bench.py",
        package="packaging",
        step="+5 %",
        history="a plain commit; the package moves to src/ within the range",
    ),
)
