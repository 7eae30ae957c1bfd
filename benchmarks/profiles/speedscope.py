"""Do our exported profiles open in a real build of speedscope? Needs npm and chromium.

    python -m benchmarks.profiles.speedscope [FILE ...]

Without files two are made, as `bisector profile` writes them. speedscope comes from npm, is served from here and
opened headless with each file; what it lists in its Sandwich view is compared with what the file holds.
"""

import functools
import http.server
import json
import shutil
import subprocess
import sys
import tempfile
import threading
from pathlib import Path

from benchmarks.profiles.opening import need_browser, title_of
from bisector.core.explain.stacks import Profile
from bisector.formats.profiles import folded, read_profile, speedscope
from bisector.formats.profiles.gathering import Reading

VERSION = "1.25.0"
PAGE = """<!DOCTYPE html><title>not yet</title>
<iframe src="release/index.html#profileURL=../FILE" width=1400 height=HEIGHT></iframe>
<script>
const frame = document.querySelector('iframe');
let clicked = false, before = -1;
const look = () => {
  const shown = frame.contentDocument;
  const tab = [...shown.querySelectorAll('div')].filter((each) => each.textContent.endsWith('Sandwich')).pop();
  if (tab && !clicked) { clicked = true; tab.click(); }
  const rows = [...shown.querySelectorAll('table tr')].map((row) => [...row.cells].map((cell) => cell.textContent));
  const start = rows.findIndex((row) => row.includes('Symbol Name')) + 1;
  if (start > 0 && rows.length > start && rows.length === before) document.title = JSON.stringify(rows.slice(start));
  else { before = rows.length; setTimeout(look, 500); }
};
setTimeout(look, 500);
</script>"""


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  its name there
        del format, args


def listed(directory: Path, name: str, functions: int) -> list[list[str]]:
    """The rows of speedscope's Sandwich view of a file: total, self and name of each function."""
    # Only the rows that can be seen are made, so the frame is as high as they all are.
    (directory / "check.html").write_text(PAGE.replace("FILE", name).replace("HEIGHT", str(1000 + 30 * functions)))
    handler = functools.partial(_Quiet, directory=str(directory))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        address = f"http://127.0.0.1:{server.server_address[1]}/check.html"
        rows: list[list[str]] | None
        rows = title_of(address, directory, "--enable-unsafe-swiftshader", "--virtual-time-budget=60000")
        server.shutdown()
    if rows is None:
        raise SystemExit(f"speedscope {VERSION} shows nothing of {name}")
    return rows


def expected(path: Path) -> set[str]:
    """The names of the functions in a file; where it holds several captures, in the one that is shown first."""
    content = path.read_bytes()
    if not content.startswith(b"{"):
        return {frame.name for frame in read_profile(content, Reading()).frames}
    data = json.loads(content)
    shown = data["profiles"][data.get("activeProfileIndex", 0)]
    return {data["shared"]["frames"][frame]["name"] for stack in shown["samples"] for frame in stack}


def examples(directory: Path) -> list[Path]:
    """A side as it is exported, in both formats."""
    text = "main;parse <a&b>;normalise 30\nmain;parse <a&b> 10\nmain;emit ünïcode 20\n"
    capture = read_profile(text.encode(), Reading(rate_hz=100.0))
    written = directory / "made.speedscope.json", directory / "made.folded.txt"
    written[0].write_text(speedscope.write(Profile(label="made", captures=(capture,))))
    written[1].write_text(folded.write(capture))
    return list(written)


def main() -> None:
    """Open each file; say what was seen, and fail where a function is missing."""
    need_browser()
    if shutil.which("npm") is None:
        raise SystemExit("this needs npm (Debian: npm)")
    with tempfile.TemporaryDirectory() as made:
        directory = Path(made)
        command = ["npm", "pack", "--silent", f"speedscope@{VERSION}"]
        packed = subprocess.run(command, cwd=directory, capture_output=True, text=True, check=True).stdout.strip()
        shutil.unpack_archive(directory / packed, directory / "unpacked", filter="data")
        shutil.move(directory / "unpacked" / "package" / "dist" / "release", directory / "release")
        for number, path in enumerate([Path(name) for name in sys.argv[1:]] or examples(directory)):
            name = f"{number}-{path.name}"
            shutil.copy(path, directory / name)
            names = expected(path)
            rows = listed(directory, name, len(names))
            shown = "\n".join(cell for row in rows for cell in row)
            missing = sorted(each for each in names if each not in shown)
            print(f"{path.name}: speedscope {VERSION} lists {len(rows)} functions, {len(names) - len(missing)} of ours")
            if missing:
                raise SystemExit(f"it does not list {missing[:5]}")


if __name__ == "__main__":
    main()
