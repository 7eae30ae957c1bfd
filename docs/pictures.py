"""The pictures of the README, of one real job: `python -m docs.pictures`.

Runs `bisector demo --runner local` with directories of its own, shows what it printed as docs/pictures/terminal.svg (by
rich) and its report as docs/pictures/report.png (by Chromium without a window, which has to be there).
"""

import os
import pty
import re
import subprocess
import sys
import tempfile
from pathlib import Path

from rich.console import Console
from rich.text import Text

PICTURES = Path(__file__).with_name("pictures")
COLUMNS = 100
MOST_LINES = 32
"""Of what is printed: the sentence, the evidence and the reason. What follows are paths and commands."""
MOST_BYTES = 250_000
BROWSER = (
    "chromium",
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
)


def main() -> None:
    """Run the demo and make both pictures of it."""
    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as place:
        printed = demo(Path(place))
        (PICTURES / "terminal.svg").write_text(terminal(printed))
        photograph(Path(place) / "report" / "report.html", PICTURES / "report.png")
    for picture in PICTURES.iterdir():
        if picture.stat().st_size > MOST_BYTES:
            raise SystemExit(f"{picture} has more than {MOST_BYTES} bytes")


def demo(place: Path) -> str:
    """What `bisector demo` prints on a terminal; its report lies below `place`."""
    environment = {
        **os.environ,
        "BISECTOR_STATE_DIR": str(place / "state"),
        "BISECTOR_CACHE_DIR": str(place / "cache"),
        "COLUMNS": str(COLUMNS),
        "TERM": "xterm-256color",
    }
    ours, theirs = pty.openpty()
    command = [sys.executable, "-c", "from bisector.cli import main; main()", "demo", "--runner", "local"]
    command += ["--report", str(place / "report")]
    running = subprocess.Popen(command, stdout=theirs, stderr=subprocess.DEVNULL, env=environment)
    os.close(theirs)
    said = b""
    try:
        while part := os.read(ours, 65536):
            said += part
    except OSError:  # The end of a terminal.
        pass
    if running.wait() != 0:
        raise SystemExit(f"the demo ended with {running.returncode}: {said.decode(errors='replace')}")
    return said.decode().replace("\r\n", "\n")


def terminal(printed: str) -> str:
    """The terminal with the command and the beginning of what it printed, as SVG that needs nothing from a network."""
    lines = printed.rstrip().splitlines()
    end = next((n for n, line in enumerate(lines) if "See what it changed" in line), MOST_LINES)
    with open(os.devnull, "w") as nowhere:
        console = Console(record=True, width=COLUMNS, file=nowhere, force_terminal=True, color_system="truecolor")
        console.print(Text("$ bisector demo --runner local", style="bold"))
        for line in lines[:end]:
            console.print(Text.from_ansi(line))
        svg = console.export_svg(title="bisector demo")
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", "ui-monospace")


def photograph(page: Path, picture: Path) -> None:
    """The top of a page as PNG."""
    size = "--window-size=1100,1500"
    subprocess.run([*BROWSER, size, f"--screenshot={picture}", page.as_uri()], check=True, capture_output=True)


if __name__ == "__main__":
    main()
