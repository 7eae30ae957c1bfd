"""Data sets: fetched once, held to their hashes."""

import hashlib
import ssl
import subprocess
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from bisector.adapters.store.artifacts import ArtifactFiles
from bisector.core.model.state import DataSet
from bisector.engine.stop import StopSignal
from bisector.errors import Cancelled, EnvironmentFault, InfraFault, ScenarioError
from tests.helpers.receiver import serving

CONTENT = b"many words\n" * 100_000
SHA = hashlib.sha256(CONTENT).hexdigest()


def of(address: str = "", *, path: Path | None = None, sha256: str = SHA) -> DataSet:
    return DataSet(name="words", sha256=sha256, url=address, path="" if path is None else str(path))


@pytest.fixture
def artifacts(tmp_path: Path) -> ArtifactFiles:
    return ArtifactFiles(tmp_path / "state")


@pytest.fixture(scope="module")
def web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, list[str]]]:
    """A server over TLS that this process trusts, and what it was asked for."""
    top = tmp_path_factory.mktemp("web")
    key, certificate = top / "key.pem", top / "certificate.pem"
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-subj", "/CN=localhost", "-days", "1"]
    made += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(made, check=True, capture_output=True)
    asked: list[str] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            status = {"/missing": 404, "/busy": 503, "/closed": 403, "/on": 302, "/off": 302}.get(
                self.path.partition("?")[0], 200
            )
            self.send_response(status)
            if status == 302:
                self.send_header(
                    "Location", "/words.txt" if self.path.startswith("/on") else "http://localhost:1/words.txt"
                )
            self.send_header("Content-Length", str(len(CONTENT) if status == 200 else 0))
            self.end_headers()
            if status == 200:
                self.wfile.write(CONTENT[: 1000 if self.path == "/cut" else None])

        def log_message(self, *_: object) -> None:
            """Nothing is printed."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    with serving(server), pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(certificate))
        patch.setenv("no_proxy", "localhost")
        yield f"https://localhost:{server.server_address[1]}", asked


def test_it_is_fetched_once_and_cannot_be_written(artifacts: ArtifactFiles, web: tuple[str, list[str]]) -> None:
    address, asked = web
    asked.clear()
    kept = artifacts.data_set(of(f"{address}/on?key=1"))
    assert (kept.name, kept.read_bytes() == CONTENT, kept.stat().st_mode & 0o222) == ("on", True, 0)
    assert artifacts.data_set(of(f"{address}/on")) == kept
    assert asked == ["/on?key=1", "/words.txt"]


def test_another_content_is_told_with_both_hashes_and_not_kept(artifacts: ArtifactFiles, tmp_path: Path) -> None:
    source = tmp_path / "words.txt"
    source.write_bytes(b"other words\n")
    with pytest.raises(ScenarioError) as raised:
        artifacts.data_set(of(path=source))
    found = hashlib.sha256(b"other words\n").hexdigest()
    assert f"is not what the scenario says: its SHA-256 is {found}, not {SHA} ({source})" in str(raised.value)
    assert list((tmp_path / "state" / "data" / SHA).iterdir()) == []


def test_what_was_changed_where_it_is_kept_is_fetched_again(artifacts: ArtifactFiles, tmp_path: Path) -> None:
    source = tmp_path / "words.txt"
    source.write_bytes(CONTENT)
    kept = artifacts.data_set(of(path=source))
    kept.chmod(0o644)
    kept.write_bytes(b"changed")
    assert artifacts.data_set(of(path=source)).read_bytes() == CONTENT
    source.unlink()
    assert artifacts.data_set(of(path=source)).read_bytes() == CONTENT, "it is here: nobody asks where it came from"


@pytest.mark.parametrize(
    ("path", "error", "told"),
    [
        ("/missing", ScenarioError, "404"),
        ("/closed", InfraFault, "403"),
        ("/busy", InfraFault, "503"),
        ("/off", ScenarioError, "without TLS"),
        ("/cut", InfraFault, "cut off"),
    ],
)
def test_what_cannot_be_had_is_told_by_whose_fault_it_is(
    artifacts: ArtifactFiles, web: tuple[str, list[str]], path: str, error: type[Exception], told: str
) -> None:
    with pytest.raises(error, match=told):
        artifacts.data_set(of(web[0] + path))


def test_a_certificate_that_nobody_vouches_for_is_not_trusted(
    artifacts: ArtifactFiles, web: tuple[str, list[str]], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "none.pem"))
    with pytest.raises(InfraFault, match="CERTIFICATE_VERIFY_FAILED"):
        artifacts.data_set(of(f"{web[0]}/words.txt"))


def test_a_file_that_is_not_there_and_a_host_that_does_not_answer(artifacts: ArtifactFiles, tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="No such file"):
        artifacts.data_set(of(path=tmp_path / "nowhere"))
    with pytest.raises(InfraFault, match="refused"):
        artifacts.data_set(of("https://127.0.0.1:1/words"))


def test_it_is_given_up_when_asked_to_stop(tmp_path: Path) -> None:
    stop = StopSignal()
    stop.set("enough")
    source = tmp_path / "words.txt"
    source.write_bytes(CONTENT)
    with pytest.raises(Cancelled):
        ArtifactFiles(tmp_path / "state", stop).data_set(of(path=source))
    assert list((tmp_path / "state" / "data" / SHA).iterdir()) == []


def test_where_nothing_can_be_kept_it_is_the_machine(artifacts: ArtifactFiles, tmp_path: Path) -> None:
    source = tmp_path / "words.txt"
    source.write_bytes(CONTENT)
    (tmp_path / "state" / "data").mkdir(parents=True)
    (tmp_path / "state" / "data" / SHA).write_text("in the way")
    with pytest.raises(EnvironmentFault, match="cannot be kept"):
        artifacts.data_set(of(path=source))
