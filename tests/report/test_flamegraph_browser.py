"""The flame graph in a real browser: views, zoom, search, keys and tooltips, clicked as a person would."""

import html
import json
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bisector.core.explain.difference import Basis, Difference, difference
from bisector.core.explain.findings import findings_of
from bisector.core.explain.stacks import Frame
from bisector.core.explain.suspects import suspects_of
from bisector.report import flamegraph
from bisector.report.suspects import alone
from bisector.report.suspects.part import Why
from tests.core.explain.trees import capture, folded, profile
from tests.report.strangers import SNIPPETS
from tests.report.test_browser import POLICY, title_of

pytestmark = pytest.mark.browser
Dump = Callable[[Path], str]
BEFORE = [folded("main;parse;step", 3.0), folded("main;emit", 2.0), folded("main;old;older", 1.0)]
AFTER = [folded("main;parse;step", 3.0), folded("main;parse;normalise", 4.0), folded("main;emit", 1.0)]

HELPERS = """
const host = document.querySelector('.flame'), canvas = host.querySelector('canvas');
const press = (text) => [...host.querySelectorAll('button')].find((each) => each.textContent === text).click();
const key = (name) => canvas.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true, cancelable: true}));
const mouse = (kind, share, row) => {
  const box = canvas.getBoundingClientRect();
  const place = {clientX: box.left + share * box.width, clientY: box.top + 19 * row + 9, bubbles: true};
  canvas.dispatchEvent(new MouseEvent(kind, place));
};
const search = (text) => {
  const field = host.querySelector('input');
  field.value = text;
  field.dispatchEvent(new Event('input'));
};
const tip = () => host.querySelector('.flame-tip').hidden ? '' : host.querySelector('.flame-tip').innerText;
const matched = () => host.querySelector('.flame-matched').textContent;
const pixel = (share, row) => {
  const ratio = canvas.width / canvas.clientWidth;
  const data = canvas.getContext('2d').getImageData(share * canvas.width, (19 * row + 2) * ratio, 1, 1).data;
  return [...data.slice(0, 3)];
};
const note = () => host.querySelector('.flame-note').textContent;
const state = () => ({...host.dataset});
"""


def compared() -> tuple[Difference, Difference]:
    sides = profile(capture(BEFORE), label="good"), profile(capture(AFTER), label="bad")
    return difference(*sides), difference(*sides, Basis.SHARE)


def run(dump: Dump, directory: Path, actions: str, page: str | None = None) -> Any:
    """What `actions`, the body of a function, return in the browser once the page is drawn."""
    whole = page if page is not None else flamegraph.page(*compared(), title="x")
    code = f"<script>{HELPERS}document.title = JSON.stringify((() => {{{actions}}})());</script></body>"
    path = directory / "page.html"
    path.write_text(POLICY.sub("", whole).replace("</body>", code), encoding="utf-8")
    return json.loads(html.unescape(title_of(dump(path))))


def test_the_graph_is_drawn_under_its_own_policy(dump: Dump, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    path.write_text(flamegraph.page(*compared(), title="x"), encoding="utf-8")
    shown = dump(path)
    assert 'data-view="difference"' in shown
    assert 'data-rects="6"' in shown


def test_views(dump: Dump, tmp_path: Path) -> None:
    """Rectangles: everything, main, and what is below it; what is gone has no width on the other side."""
    told = run(
        dump,
        tmp_path,
        """const found = {};
        for (const view of ['After', 'Before', 'Difference', 'Gone']) {
          press(view);
          found[view] = [state().view, state().rects];
        }
        return found;""",
    )
    assert told == {
        "After": ["after", "6"], "Before": ["before", "7"], "Difference": ["difference", "6"], "Gone": ["gone", "4"],
    }  # fmt: skip


def test_colours_say_what_changed(dump: Dump, tmp_path: Path) -> None:
    """emit (an eighth of bad, half as dear as before) is bluish, normalise is red, step is grey."""
    told = run(dump, tmp_path, "return [pixel(0.95, 2), pixel(0.3, 3), pixel(0.7, 3)];")
    emit, normalise, step = told
    assert emit[2] > emit[0] + 30
    assert normalise[0] > normalise[2] + 100
    assert max(step) - min(step) < 10


def test_only_what_is_gone_is_coloured_where_it_is_shown(dump: Dump, tmp_path: Path) -> None:
    """main costs more than before, all the same: that is another view."""
    main, old = run(dump, tmp_path, "press('Gone'); return [pixel(0.5, 1), pixel(0.5, 2)];")
    assert max(main) - min(main) < 10
    assert old[2] > old[0] + 100


def test_zoom_and_reset(dump: Dump, tmp_path: Path) -> None:
    told = run(
        dump,
        tmp_path,
        """const found = [];
        mouse('click', 0.3, 2); found.push(state().zoom);
        mouse('click', 0.1, 3); found.push(state().zoom);
        mouse('click', 0.5, 1); found.push(state().zoom);
        press('Reset zoom'); found.push(state().zoom, state().rects);
        return found;""",
    )
    label = "{} (project.py)".format
    assert told == [label("parse"), label("normalise"), label("main"), "", "6"]


def test_search_tells_the_matched_share_of_each_view(dump: Dump, tmp_path: Path) -> None:
    told = run(
        dump,
        tmp_path,
        """search('NORM'); const found = [matched()];
        press('Before'); found.push(matched());
        search('pars'); found.push(matched());
        search('project'); found.push(matched());
        search(''); found.push(matched());
        return found;""",
    )
    assert told == ["Matched: 50.0 %", "Matched: 0 %", "Matched: 50.0 %", "Matched: 100 %", ""]


def test_a_tooltip_holds_both_values(dump: Dump, tmp_path: Path) -> None:
    told = run(dump, tmp_path, "mouse('mousemove', 0.95, 2); return tip();")
    assert "emit (project.py)" in told
    for text in ("good", "2.00 s", "bad", "1.00 s", "-1.00 s (-50.0 %)", "2.00 s → 1.00 s", "12.5 %"):
        assert text in told
    shared = run(dump, tmp_path, "press('Share of total'); mouse('mousemove', 0.3, 3); return tip();")
    for text in ("normalise", "0 %", "50.0 %", "+50.0 points (new)"):
        assert text in shared


def test_keys(dump: Dump, tmp_path: Path) -> None:
    told = run(
        dump,
        tmp_path,
        """canvas.focus(); const found = [];
        key('ArrowDown'); key('ArrowDown'); found.push(tip().split('\\n')[0]);
        key('ArrowRight'); found.push(tip().split('\\n')[0]);
        key('ArrowLeft'); key('Enter'); found.push(state().zoom);
        key('ArrowDown'); found.push(tip().split('\\n')[0]);
        key('Backspace'); found.push(state().zoom);
        key('Escape'); found.push(state().zoom);
        key('/'); found.push(document.activeElement.type);
        return found;""",
    )
    label = "{} (project.py)".format
    assert told == [label("parse"), label("emit"), label("parse"), label("normalise"), label("main"), "", "search"]


def test_inverted_begins_with_what_costs(dump: Dump, tmp_path: Path) -> None:
    """Leaves are step, normalise and emit, of 3, 4 and 1 of 8; their callers stand below them."""
    told = run(
        dump,
        tmp_path,
        """press('Inverted'); const found = [state().inverted, state().rects];
        mouse('click', 0.3, 1); found.push(state().zoom);
        key('ArrowDown'); found.push(tip().split('\\n')[0], tip().includes('itself'));
        press('Inverted'); found.push(state().inverted, state().rects, state().zoom);
        return found;""",
    )
    assert told == ["true", "9", "normalise (project.py)", "parse (project.py)", False, "false", "6", ""]


def test_equal_sides_are_grey(dump: Dump, tmp_path: Path) -> None:
    side = profile(capture(BEFORE), label="one")
    page = flamegraph.page(difference(side, replace(side, label="other")), title="x")
    told = run(
        dump,
        tmp_path,
        """return [[1, 2, 3].flatMap((row) => [0.01, 0.3, 0.6, 0.9].map((x) => pixel(x, row))), note()];""",
        page,
    )
    assert all(max(colour) - min(colour) < 10 for colour in told[0])
    assert told[1].startswith("one and other do not differ by more than noise, so nothing is coloured.")
    assert "do not differ" not in run(dump, tmp_path, "return note();")


def test_one_profile_alone_has_no_views_to_choose_from(dump: Dump, tmp_path: Path) -> None:
    side = profile(capture(BEFORE), label="this")
    page = flamegraph.page(difference(side, side), title="x")
    told = run(dump, tmp_path, "mouse('mousemove', 0.5, 1); return [state().view, host.innerText, tip()];", page)
    assert told[0] == "after"
    assert "Difference" not in told[1]
    assert "Inverted" in told[1]
    assert "share of all" in told[2]
    assert "→" not in told[2]


def test_the_dearest_stand_first_in_every_view(dump: Dump, tmp_path: Path) -> None:
    """parse costs most after; it stands first before, too, where it costs as much as emit and old together."""
    told = run(
        dump,
        tmp_path,
        """return ['After', 'Before', 'Difference'].map((view) => {
          press(view); mouse('mousemove', 0.01, 2); return tip().split('\\n')[0];
        });""",
    )
    assert told == ["parse (project.py)"] * 3


def test_a_stranger_is_text_in_every_view(dump: Dump, tmp_path: Path) -> None:
    frame = Frame(name="".join(SNIPPETS), module="".join(SNIPPETS), file="x")
    found = difference(
        profile(capture([((frame,), 1.0)]), label="".join(SNIPPETS)),
        profile(capture([((frame, frame), 2.0)]), label="".join(reversed(SNIPPETS))),
    )
    page = flamegraph.page(found, found, title="x")
    told = run(
        dump,
        tmp_path,
        """for (const view of ['After', 'Before', 'Gone', 'Inverted', 'Inverted', 'Share of total']) press(view);
        mouse('mousemove', 0.5, 1); search('<script>'); mouse('click', 0.5, 1);
        return [document.querySelectorAll('img, iframe, svg [onload]').length, tip().length > 0, matched()];""",
        page,
    )
    assert told[0] == 0
    assert "Matched: " in told[2]


HOSTILE = (
    "</script><script>document.title='pwned'</script>",
    "<img src=x onerror=document.title='pwned'>",
    "escape\x1b]0;pwned\x07",
    "nul\0nul",
    "right\u202eto\u2066left",
    "long" + "A" * 1_000_000,
)


def test_names_made_to_break_the_page_are_names_of_functions(dump: Dump, tmp_path: Path) -> None:
    """A whole page of `bisector diff`, with its table; nothing runs, everything can be pointed at, found and zoomed."""
    stacks = [((Frame(name=name, module=name, file=name),), 1.0 + number) for number, name in enumerate(HOSTILE)]
    slower = [(stack, 3 * weight) for stack, weight in stacks]
    before, after = profile(capture(stacks), label=HOSTILE[0]), profile(capture(slower), label=HOSTILE[2])
    found = difference(before, after)
    shares = difference(before, after, Basis.SHARE)
    suspects, findings = suspects_of(found), findings_of(found)
    page = alone.page_of(
        Why(before=before, after=after, found=found, shares=shares, suspects=suspects, findings=findings)
    )
    assert len(page) < 200_000
    told = run(
        dump,
        tmp_path,
        """const title = document.title, tips = [], zooms = [];
        for (let at = 0; at < 20; at++) { mouse('mousemove', (at + 0.5) / 20, 1); tips.push(tip().split('\\n')[0]); }
        search('onerror'); const share = matched(); search('');
        for (let at = 0; at < 20; at++) {
          mouse('click', (at + 0.5) / 20, 1); zooms.push(state().zoom); press('Reset zoom');
        }
        const odd = (document.body.innerText + tips.join('')).match(/[\\0\\x1b\\x07\\u202e\\u2066]/g) || [];
        return [title, [...new Set(tips)].length, share, [...new Set(zooms)].length, odd.length,
                document.querySelectorAll('img').length, zooms.map((each) => each.length)];""",
        page,
    )
    assert "pwned" not in told[0].replace("document.title='pwned'", "").replace("]0;pwned", "")
    assert told[1] == told[3] == len(HOSTILE)
    assert told[2] == "Matched: 9.52 %"
    assert told[4:6] == [0, 0]
    assert max(told[6]) < 400


@pytest.mark.long
@pytest.mark.slow
def test_a_hundred_thousand_calls_are_drawn_and_answer(dump: Dump, tmp_path: Path) -> None:
    """How long each answer took, the middle of five, is printed (`pytest -rP`); up to 100 ms is taken for at once."""
    chain = [f"through{level}" for level in range(20)]
    weighted = [
        ((f"a{i // 20_000}", *chain, f"b{i // 2000}", *chain, f"c{i // 200}", f"d{i // 20}", f"e{i}"), float(1 + i % 7))
        for i in range(94_000)
    ]
    side = profile(capture(weighted), label="one")
    page = flamegraph.page(difference(side, replace(side, label="other")), title="x")
    told = run(
        dump,
        tmp_path,
        """const found = [], note = (name, act) => {
          const taken = [];
          for (let i = 0; i < 5; i++) {
            const start = performance.now();
            act(i);
            taken.push(performance.now() - start);
          }
          found.push([name, taken.sort((a, b) => a - b)[2]]);
        };
        note('view', (i) => press(i % 2 ? 'After' : 'Before'));
        note('zoom', (i) => { if (i % 2) key('Escape'); else mouse('click', 0.5, 2); });
        note('point', (i) => mouse('mousemove', 0.1 * i, 3));
        note('search', (i) => search('d' + 'a1b'[i % 3]));
        const share = matched();
        press('Difference');
        return [found, share, Number(state().rects)];""",
        page,
    )
    taken, share, rectangles = told
    sys.stdout.write(", ".join(f"{name} {milliseconds:.0f} ms" for name, milliseconds in taken))
    assert rectangles > 1000
    assert share.startswith("Matched: ")
    assert 0 < float(share.removeprefix("Matched: ").removesuffix("%").strip()) < 100
