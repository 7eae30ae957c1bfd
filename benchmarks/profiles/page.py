"""How large the page of a flame graph is, and how quickly it opens and answers, with 100,000 calls. Needs chromium.

    python -m benchmarks.profiles.page

The two profiles are those of `python -m benchmarks.profiles`; of their tree the 100,000 largest calls are drawn. In the
browser (headless, without a graphics card) "opened" is the time from the navigation to the end of the first drawing; an
action is timed from the click or key until a pixel of what it drew has been read back, the median of nine.
"""

import re
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.profiles.__main__ import SLOW, counts, stacks, write_folded
from benchmarks.profiles.opening import need_browser, title_of
from bisector.core.explain.difference import Basis, difference
from bisector.core.explain.names import Names
from bisector.core.explain.stacks import Profile
from bisector.formats.profiles import read_profile
from bisector.formats.profiles.gathering import Reading
from bisector.report import flamegraph
from bisector.report.flamegraph.drawn import data_of, encoded

ACTIONS = """
const opened = performance.now(), host = document.querySelector('.flame'), canvas = host.querySelector('canvas');
const press = (text) => [...host.querySelectorAll('button')].find((each) => each.textContent === text).click();
const key = (name) => canvas.dispatchEvent(new KeyboardEvent('keydown', {key: name, bubbles: true}));
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
const found = {'opened': opened, 'first drawing': Number(host.dataset.milliseconds)};
found['rectangles drawn'] = Number(host.dataset.rects);
const note = (name, act) => {
  const taken = [];
  for (let i = 0; i < 9; i++) {
    const start = performance.now();
    act(i);
    canvas.getContext('2d').getImageData(5, 5, 1, 1);
    taken.push(performance.now() - start);
  }
  found[name] = taken.sort((a, b) => a - b)[4];
};
note('zoom in or out', (i) => { if (i % 2) key('Escape'); else mouse('click', 0.3, 3); });
note('another view', (i) => press(i % 2 ? 'After' : 'Before'));
note('search', (i) => search('function_' + i));
search('');
note('point at a call', (i) => mouse('mousemove', 0.1 * i, 3));
const start = performance.now();
press('Inverted');
found['inverted, the first time'] = performance.now() - start;
note('inverted, there and back', () => press('Inverted'));
document.title = JSON.stringify(found);
"""


def page() -> tuple[str, int]:
    """The page, and how many bytes of it are code and markup rather than data or the still picture."""
    all_stacks = stacks(1)
    with tempfile.TemporaryDirectory() as directory:
        sides = []
        for seed, slow in enumerate((None, SLOW)):
            path = Path(directory) / ("before", "after")[seed]
            write_folded(path, all_stacks, counts(all_stacks, seed, slow))
            capture = read_profile(path.read_bytes(), Reading(names=Names(roots=("/srv/app",))))
            sides.append(Profile(label=path.name, captures=(capture,)))
    before, after = sides
    found, shares = difference(before, after), difference(before, after, Basis.SHARE)
    began = time.perf_counter()
    whole = flamegraph.page(found, shares, title="100,000 calls")
    data = len(encoded(data_of(found, shares)))
    print(f"{found.tree.size:,} calls in the tree, page made in {time.perf_counter() - began:.1f} s")
    return whole, len(whole.encode()) - data - len(str(flamegraph.still(found)).encode())


def main() -> None:
    """Make the page, open it, print."""
    need_browser()
    whole, own = page()
    print(f"page {len(whole.encode()) / 1e6:.1f} MB, of which code and markup {own / 1e3:.1f} kB")
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "page.html"
        # The policy would stop the script that measures.
        bare = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", whole)
        path.write_text(bare.replace("</body>", f"<script>{ACTIONS}</script></body>"), encoding="utf-8")
        found = title_of(path.as_uri(), Path(directory), "--disable-gpu", "--window-size=1400,900")
    if found is None:
        sys.exit("the page did not open")
    for name, value in found.items():
        print(f"{name:28} {value:10.1f}{' ms' if name != 'rectangles drawn' else ''}")


if __name__ == "__main__":
    main()
