"""Whatever is answered, the file that is made of it is read as what was meant."""

from hypothesis import given
from hypothesis import strategies as st

from bisector.core.model.scenario import Better
from bisector.formats.answers import Answers, Beside, Reading, written
from bisector.formats.results import SOURCES
from bisector.formats.results.beside import BESIDE
from bisector.formats.results.tools import TOOLS
from bisector.formats.scenario import parse_scenario

texts = st.text(
    st.characters(codec="utf-8", exclude_characters="{}\x00", exclude_categories=["Cs"]), min_size=1, max_size=20
)
words = st.lists(texts, min_size=1, max_size=4).map(tuple)
readings = st.builds(
    Reading,
    name=texts,
    source=st.sampled_from([source for source in SOURCES if source not in BESIDE and source not in TOOLS]),
    select=st.just("") | texts,
    better=st.sampled_from(Better),
    unit=st.sampled_from(["", "s", "B"]),
)
answers = st.builds(
    Answers,
    name=st.from_regex(r"[a-z0-9][a-z0-9._-]{0,20}", fullmatch=True),
    command=words,
    image=st.just("") | texts,
    steps=st.lists(texts, max_size=3).map(tuple),
    reading=readings,
    service=st.none() | st.builds(Beside, command=words.map(lambda found: (*found, "{port}"))),
)


@given(answers)
def test_the_file_says_what_was_answered(given: Answers) -> None:
    found = parse_scenario(written(given).encode(), where="here")
    assert (found.name, found.run.command, found.build.steps) == (given.name, given.command, given.steps)
    assert (found.build.image or "") == given.image
    (metric,) = found.metrics
    assert (metric.name, metric.source, metric.select) == (
        given.reading.name,
        given.reading.source,
        given.reading.select,
    )
    assert metric.better is given.reading.better
    if given.reading.unit:
        assert metric.unit == given.reading.unit
    assert [service.command for service in found.run.services] == ([given.service.command] if given.service else [])


def test_a_tools_own_direction_is_left_to_it() -> None:
    reading = Reading(name="r", source="wrk", better=Better.HIGHER)
    text = written(Answers(name="s", command=("wrk",), reading=reading))
    assert "better" not in text
    assert parse_scenario(text.encode(), where="here").metrics[0].better is Better.LOWER
