"""Opening a page in Chromium without a window, for what the page's own script puts into its title."""

import html
import json
import re
import subprocess
from pathlib import Path
from typing import Any

from tests.helpers.browser import find_browser


def need_browser() -> str:
    """The browser's program; without one the benchmark ends, and says so."""
    browser = find_browser()
    if browser is None:
        raise SystemExit("this needs chromium (tests/environment/up.sh browser)")
    return browser


def title_of(address: str, place: Path, *flags: str) -> Any:
    """What the title of the page is, as JSON; None where no script has written one. The profile goes below `place`."""
    command = [need_browser(), "--headless", "--no-sandbox", *flags, f"--user-data-dir={place / 'browser'}"]
    command += ["--dump-dom", address]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, timeout=300).stdout
    title = re.search(r"<title>(.*?)</title>", shown, re.DOTALL)
    return json.loads(html.unescape(title[1])) if title is not None and title[1].startswith(("[", "{")) else None
