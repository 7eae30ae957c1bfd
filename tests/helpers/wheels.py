"""Wheels made by hand: an index of packages in a directory, for pip's --no-index --find-links."""

import base64
import hashlib
import io
import zipfile
from pathlib import Path


def wheel_of(name: str, version: str, source: str, wants: tuple[str, ...] = ()) -> tuple[str, bytes]:
    """The file name and the content of a wheel with one module called `name`, which wants other packages."""
    requires = "".join(f"Requires-Dist: {wish}\n" for wish in wants)
    info = f"{name}-{version}.dist-info"
    files = {
        f"{name}.py": source,
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: hand\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    lines = [f"{path},sha256={_sum(text)},{len(text)}" for path, text in files.items()]
    files[f"{info}/RECORD"] = "\n".join((*lines, f"{info}/RECORD,,", ""))
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for path, text in files.items():
            archive.writestr(zipfile.ZipInfo(path, date_time=(2020, 1, 1, 0, 0, 0)), text)
    return f"{name}-{version}-py3-none-any.whl", made.getvalue()


def publish(index: Path, name: str, version: str, source: str, wants: tuple[str, ...] = ()) -> None:
    """Put a wheel into the directory."""
    index.mkdir(parents=True, exist_ok=True)
    file, content = wheel_of(name, version, source, wants)
    (index / file).write_bytes(content)


def _sum(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
