"""What a run finds besides its build: data sets."""

from dataclasses import dataclass


@dataclass(frozen=True, kw_only=True, slots=True)
class DataSet:
    """A file that runs read, by its SHA-256: from an https address, or a path on the machine that measures."""

    name: str
    sha256: str
    url: str = ""
    path: str = ""

    @property
    def file(self) -> str:
        """What the file is called where a run finds it: as it was, so that its ending still tells what it is."""
        last = (self.path or self.url.partition("?")[0].partition("#")[0]).rstrip("/").rpartition("/")[2]
        plain = "".join(letter for letter in last if letter.isascii() and (letter.isalnum() or letter in "._-"))
        return plain.lstrip(".-")[-100:] or "data"

    @property
    def variable(self) -> str:
        """The variable that says where it lies."""
        return f"BISECTOR_DATA_{self.name.upper().replace('-', '_')}"
