"""A registry of images on this machine, as the engine pulls from: its API's second version, read only."""

import contextlib
import gzip
import hashlib
import io
import json
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.helpers.receiver import Received, Receiver, Reply, receiving

_TYPE = "application/vnd.docker."
MANIFEST = f"{_TYPE}distribution.manifest.v2+json"


@dataclass
class Registry:
    """What it holds: manifests by repository and tag, blobs by digest. `refuse` is answered to every question for an
    image, where it is set."""

    receiver: Receiver
    manifests: dict[str, bytes] = field(default_factory=dict)
    blobs: dict[str, bytes] = field(default_factory=dict)
    refuse: Reply | None = None

    @property
    def host(self) -> str:
        """The beginning of its images' names."""
        return self.receiver.url.removeprefix("http://")

    def push(self, tag: str, files: dict[str, bytes], env: tuple[str, ...] = ()) -> str:
        """Put an image `app:tag` with one layer of executables there; the manifest's digest."""
        layer = _layer(files)
        packed = gzip.compress(layer, mtime=0)
        config = {
            "architecture": "amd64",
            "os": "linux",
            "config": {"Env": list(env), "Entrypoint": ["/nobody/starts/this"], "User": "12"},
            "rootfs": {"type": "layers", "diff_ids": [_named(layer)]},
        }
        told = json.dumps(config).encode()
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFEST,
            "config": {"mediaType": f"{_TYPE}container.image.v1+json", **self._put(told)},
            "layers": [{"mediaType": f"{_TYPE}image.rootfs.diff.tar.gzip", **self._put(packed)}],
        }
        content = json.dumps(manifest).encode()
        self.manifests[f"/v2/app/manifests/{tag}"] = self.manifests[f"/v2/app/manifests/{_named(content)}"] = content
        return _named(content)

    def answer(self, asked: Received) -> Reply:
        """What is answered to a request."""
        if asked.path == "/v2/":
            return Reply(body=b"{}")
        if self.refuse is not None:
            return self.refuse
        if (manifest := self.manifests.get(asked.path)) is not None:
            headers = {"Content-Type": MANIFEST, "Docker-Content-Digest": _named(manifest)}
            return Reply(body=b"" if asked.method == "HEAD" else manifest, headers={**headers, **_length(manifest)})
        if (blob := self.blobs.get(asked.path.rpartition("/")[2])) is not None:
            return Reply(body=blob, headers={"Content-Type": "application/octet-stream"})
        return refusal(404, "MANIFEST_UNKNOWN", "manifest unknown")

    def _put(self, content: bytes) -> dict[str, object]:
        self.blobs[_named(content)] = content
        return {"size": len(content), "digest": _named(content)}


def refusal(status: int, code: str, message: str) -> Reply:
    """What a registry answers that does not give an image."""
    body = json.dumps({"errors": [{"code": code, "message": message}]}).encode()
    return Reply(status=status, body=body, headers={"Content-Type": "application/json"})


@contextlib.contextmanager
def registry() -> Iterator[Registry]:
    """A registry without images on a free port, which an engine on this machine pulls from without TLS."""
    with receiving() as receiver:
        made = Registry(receiver)
        receiver.answer = made.answer
        yield made


def _named(content: bytes) -> str:
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def _length(content: bytes) -> dict[str, str]:
    return {"Content-Length": str(len(content))}


def _layer(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size, member.mode = len(content), 0o755
            archive.addfile(member, io.BytesIO(content))
    return made.getvalue()
