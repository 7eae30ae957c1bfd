"""Files: the whole answer of a job as JSON and as Markdown."""

import os
from pathlib import Path

from bisector.engine.notify import NotSent, Telling
from bisector.report.json_export import render_json
from bisector.report.markdown import render_markdown


class FileNotifier:
    """Implements `bisector.engine.notify.Notifier`: job-N.json and job-N.md in a directory, whole or not at all."""

    repeatable = True

    def __init__(self, directory: Path) -> None:
        """The directory is made if need be."""
        self._directory = directory

    def send(self, telling: Telling) -> None:
        """Write both files; NotSent."""
        name = f"job-{telling.news.job}"
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            self._write(f"{name}.md", render_markdown(telling.report))
            # Last, so that whoever waits for it finds the other as well.
            self._write(f"{name}.json", render_json(telling.report))
        except OSError as error:
            raise NotSent(f"{self._directory} cannot be written: {error.strerror}") from None

    def _write(self, name: str, text: str) -> None:
        passing = self._directory / f".{name}.{os.getpid()}"
        with passing.open("w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        passing.replace(self._directory / name)
