"""Builds that somebody else made: an image or files for each commit, taken in place of building."""

from dataclasses import dataclass, replace

SHORT = 7
"""Digits of a commit's name that {short} stands for, as `git log --oneline` begins with."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Prebuilt:
    """Where the build of a commit is to be had: the name of an image, or a command that leaves the build's files.

    {sha} and {short} in either are the commit's name. `commit` is "" as long as it is not known of which commit, and
    stays so for a tree that is no commit's own: nobody has built that.
    """

    image: str = ""
    command: tuple[str, ...] = ()
    commit: str = ""

    def at(self, commit: str) -> "Prebuilt":
        """The same for the commit of that name."""
        return replace(self, commit=commit)

    @property
    def name(self) -> str:
        """The image's name, or the command as one line, for the commit."""
        return self._filled(self.image) if self.image else " ".join(self.words)

    @property
    def words(self) -> tuple[str, ...]:
        """The command for the commit."""
        return tuple(map(self._filled, self.command))

    def identity(self) -> tuple[str, ...]:
        """What of it makes two builds of one tree differ."""
        return ("--prebuilt", self.image, *self.command, "--of", self.commit)

    def _filled(self, text: str) -> str:
        return text.replace("{sha}", self.commit).replace("{short}", self.commit[:SHORT])


@dataclass(frozen=True, kw_only=True, slots=True)
class Taken:
    """What was taken in place of building: the image or the command, and a digest of what came."""

    name: str
    digest: str
