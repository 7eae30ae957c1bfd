"""Data sets, kept under their hashes: fetched once, by us and not by what is measured, and never changed."""

import contextlib
import hashlib
import http.client
import os
import ssl
import tempfile
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from bisector.adapters import durable
from bisector.core.model.state import DataSet
from bisector.core.model.units import Seconds
from bisector.engine.stop import StopSignal
from bisector.errors import EnvironmentFault, InfraFault, ScenarioError

PATIENCE: Seconds = 30.0
_BLOCK = 1 << 20
_MAY_PASS = frozenset({401, 403, 407, 408, 425, 429})


def data_set(directory: Path, data: DataSet, stop: StopSignal) -> Path:
    """The file of `data` below `directory`, fetched unless it is there.

    ScenarioError where the content is not what the scenario says, or there is none; InfraFault where it cannot be had
    now; EnvironmentFault where it cannot be kept.
    """
    kept = directory / data.sha256 / data.file
    if _is_whole(kept, data.sha256):
        return kept
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        durable.remove_left_over(kept.parent, ".new-*")
        with tempfile.NamedTemporaryFile(dir=kept.parent, prefix=".new-", delete=False) as made:
            try:
                with _opened(data) as source:
                    found = _copied(source, made, stop)
                if found != data.sha256:
                    raise _another(data, found)
                made.flush()
                os.fsync(made.fileno())
                os.chmod(made.name, 0o444)
                with durable.step("name a data set"):
                    os.rename(made.name, kept)
                durable.sync_directory(kept.parent)
            except BaseException:
                Path(made.name).unlink(missing_ok=True)
                raise
        _mark(kept)
    except OSError as error:
        raise EnvironmentFault(
            f"the data set {data.name} cannot be kept: {error.strerror}", where=str(kept.parent)
        ) from error
    return kept


def _another(data: DataSet, found: str) -> ScenarioError:
    return ScenarioError(
        f"the data set {data.name} is not what the scenario says: its SHA-256 is {found}, not {data.sha256}",
        where=data.url or data.path,
        then="Correct sha256 if the new content is meant; samples of the other one are then not used again",
    )


@contextmanager
def _opened(data: DataSet) -> Iterator[Any]:
    """What `data` is read from; whatever goes wrong in here is told as its doing."""
    try:
        if data.path:
            with open(data.path, "rb") as file:
                yield file
        else:
            with _asked(data.url) as answer:
                yield _Whole(answer)
    except urllib.error.HTTPError as error:
        told = f"the data set {data.name} cannot be had: {error.code} {error.reason}"
        if error.code in _MAY_PASS or error.code >= 500:
            raise InfraFault(told, where=data.url) from error
        raise ScenarioError(told, where=data.url) from error
    except (urllib.error.URLError, http.client.HTTPException, TimeoutError, ConnectionError, ssl.SSLError) as error:
        why = getattr(error, "reason", "") or error
        raise InfraFault(f"the data set {data.name} cannot be fetched: {why}", where=data.url) from error
    except (FileNotFoundError, IsADirectoryError, PermissionError) as error:
        raise ScenarioError(f"the data set {data.name} cannot be read: {error.strerror}", where=data.path) from error


def _asked(url: str) -> Any:
    """An answer over TLS, also where it leads on."""
    opener = urllib.request.OpenerDirector()
    handlers: tuple[urllib.request.BaseHandler, ...] = (
        urllib.request.ProxyHandler(),
        urllib.request.HTTPSHandler(),
        _OnlySecure(),
        urllib.request.HTTPDefaultErrorHandler(),
        urllib.request.HTTPErrorProcessor(),
        urllib.request.UnknownHandler(),
    )
    for handler in handlers:
        opener.add_handler(handler)
    asked = urllib.request.Request(url, headers={"User-Agent": "bisector"})  # noqa: S310  the opener knows https only
    return opener.open(asked, timeout=PATIENCE)


class _OnlySecure(urllib.request.HTTPRedirectHandler):
    """Follows to other https addresses only."""

    def redirect_request(self, req: Any, fp: IO[bytes], code: int, msg: str, headers: Any, newurl: str) -> Any:
        """The request to be made in place of the first."""
        if not newurl.lower().startswith("https://"):
            raise urllib.error.HTTPError(req.full_url, code, "it leads on to an address without TLS", headers, fp)
        return super().redirect_request(req, fp, code, msg, headers, newurl)


class _Whole:
    """An answer of which nothing is missing when it ends: one that was cut off has another hash, and is tried again."""

    def __init__(self, answer: Any) -> None:
        self._answer = answer
        self._left = int(answer.headers.get("Content-Length") or -1)

    def read(self, size: int) -> bytes:
        """The next bytes."""
        block: bytes = self._answer.read(size)
        if not block and self._left > 0:
            raise ConnectionError("the answer was cut off")
        self._left -= len(block) if self._left >= 0 else 0
        return block


def _copied(source: Any, target: Any, stop: StopSignal) -> str:
    """The SHA-256 of what was copied."""
    state = hashlib.sha256()
    while block := source.read(_BLOCK):
        stop.check()
        state.update(block)
        target.write(block)
    return state.hexdigest()


def _is_whole(kept: Path, sha256: str) -> bool:
    """Whether the file is there as it was put there: its size and time tell, else its content."""
    with contextlib.suppress(OSError):
        if _mark_of(kept).read_text() == _state(kept):
            return True
        with kept.open("rb") as file:
            if hashlib.file_digest(file, "sha256").hexdigest() == sha256:
                _mark(kept)
                return True
    return False


def _mark(kept: Path) -> None:
    _mark_of(kept).write_text(_state(kept))


def _mark_of(kept: Path) -> Path:
    return kept.with_name(f".{kept.name}.seen")


def _state(kept: Path) -> str:
    status = kept.stat()
    return f"{status.st_size} {status.st_mtime_ns}"
