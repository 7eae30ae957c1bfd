"""Dependencies that were installed once, put under a build: copied, since a virtual environment cannot be moved.

The build has an environment of its own; it is given the packages of the other one, and its scripts, which name the
place they lie in, made to name the new one.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

from bisector.adapters.local.places import BuildPlace

REWRITTEN = (".pth",)
"""Endings of files below a virtual environment that name its place, scripts apart."""
OWN = "pyvenv.cfg"


def put_under(layer: BuildPlace, place: BuildPlace) -> None:
    """Give the build at `place` what `layer` installed: what the checkout itself has stays as it is."""
    for path, target in _pairs(layer.source, place.source):
        if not os.path.lexists(target):
            _copy(path, target)
    if not (layer.venv.is_dir() and place.venv.is_dir()):
        return
    scripts = layer.venv / "bin"
    for path, target in _pairs(layer.venv, place.venv):
        is_script = path.parent == scripts
        if path.name == OWN or (is_script and os.path.lexists(target)):
            continue
        if not path.is_symlink() and (is_script or path.name.endswith(REWRITTEN)):
            _rewrite(path, target, layer, place)
        else:
            _copy(path, target)


def _pairs(source: Path, target: Path) -> Iterator[tuple[Path, Path]]:
    """Every file and link below `source` with its place below `target`, whose directories are made."""
    for at, directories, names in os.walk(source):
        here = target / Path(at).relative_to(source)
        if not here.is_dir():
            if os.path.lexists(here):  # the checkout has a file where dependencies made a directory
                directories.clear()
                continue
            here.mkdir()
        links = [name for name in directories if os.path.islink(os.path.join(at, name))]
        for name in (*names, *links):
            yield Path(at) / name, here / name


def _copy(path: Path, target: Path) -> None:
    if os.path.lexists(target):
        if target.is_dir() and not target.is_symlink():
            return
        target.unlink()
    shutil.copy2(path, target, follow_symlinks=False)


def _rewrite(path: Path, target: Path, layer: BuildPlace, place: BuildPlace) -> None:
    """Copy a file with the layer's own directory in it replaced by the build's."""
    content = path.read_bytes()
    target.write_bytes(content.replace(os.fsencode(layer.root), os.fsencode(place.root)))
    shutil.copystat(path, target)
