"""Files: the whole answer of a job as JSON and as Markdown."""

from pathlib import Path

from bisector.adapters import durable
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
            durable.write_whole(self._directory / f"{name}.md", render_markdown(telling.report).encode())
            # Last, so that whoever waits for it finds the other as well.
            durable.write_whole(self._directory / f"{name}.json", render_json(telling.report).encode())
        except OSError as error:
            raise NotSent(f"{self._directory} cannot be written: {error.strerror}") from None
