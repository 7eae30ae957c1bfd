"""Where a mirror lies."""

from pathlib import Path


def mirror_in(cache: Path) -> Path:
    """The one mirror of a cache."""
    (found,) = [path for path in (cache / "mirrors").glob("*.git") if not path.is_symlink()]
    return found
