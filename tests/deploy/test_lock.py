"""The lock: everything that is asked for is in it, in a version that will do, with hashes."""

import re
import tomllib
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

TOP = Path(__file__).parents[2]
EXTRAS = ("server", "distributed")


def test_the_lock_has_what_is_asked_for_and_a_hash_of_everything() -> None:
    locked = dict(re.findall(r"^([\w.-]+)(?:\[\S+\])?==(\S+)", (TOP / "requirements.lock").read_text(), re.MULTILINE))
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(each for extra in EXTRAS for each in project["optional-dependencies"][extra])]
    missing = []
    for text in asked:
        wanted = Requirement(text)
        version = locked.get(canonicalize_name(wanted.name), "")
        if not version or not wanted.specifier.contains(version):
            missing.append(text)
    assert missing == [], "`make lock` renews it"
    entries = re.split(r"\n(?=[\w.-]+(?:\[\S+\])?==)", (TOP / "requirements.lock").read_text())
    assert [entry.split()[0] for entry in entries[1:] if "--hash=sha256:" not in entry] == []
