"""Repositories behind an address."""

from pathlib import Path

import pytest

from bisector.adapters.git import command
from bisector.adapters.git.address import Address, is_address
from bisector.errors import UsageError
from tests.adapters.git.conftest import Opener
from tests.helpers.repositories import Sandbox


@pytest.mark.parametrize(
    "address",
    [
        "https://example.org/x.git",
        "https://ann:token@example.org:8443/x",
        "ssh://git@example.org:22/x",
        "ssh://[::1]/x",
        "git@example.org:x/y.git",
        "example.org:x",
    ],
)
def test_addresses_over_https_and_ssh_are_taken(address: str) -> None:
    origin = Address(address, {}).origin()
    assert is_address(address)
    assert (origin.url, origin.protocols) == (address, "https:ssh")


@pytest.mark.parametrize(
    "address",
    [
        "ext::sh -c touch% /tmp/x",
        "fd::17/x",
        "--upload-pack=touch x",
        "-oProxyCommand=touch x",
        "ssh://-oProxyCommand=touch/x",
        "ssh://git@-oProxyCommand=touch/x",
        "http://example.org/x",
        "git://example.org/x",
        "file:///etc",
        "https:///x",
        "https://example.org/x\n",
        "https://example.org/\x1b[31m",
        "ssh://example.org/x y",
        "",
    ],
)
def test_no_other_address_reaches_git(address: str, opened: Opener, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command.Git, "ask", lambda *_, **__: pytest.fail("git was called"))
    with pytest.raises(UsageError):
        opened(address).resolve("HEAD")


def test_a_path_stays_a_path_whatever_it_looks_like(tmp_path: Path, opened: Opener) -> None:
    sandbox = Sandbox.make(tmp_path / "host:path")
    sha = sandbox.commit("first")
    assert opened(sandbox.top).resolve("HEAD").sha == sha


@pytest.mark.parametrize(
    ("address", "told"),
    [
        ("https://ann:secret@example.org/x", "https://example.org/x"),
        ("https://token@example.org/x", "https://example.org/x"),
        ("ssh://git:secret@example.org/x", "ssh://git@example.org/x"),
        ("ssh://git@example.org/x@y", "ssh://git@example.org/x@y"),
        ("git@example.org:x", "git@example.org:x"),
    ],
)
def test_an_address_is_passed_on_without_credentials(address: str, told: str, opened: Opener) -> None:
    assert opened(address).location == told
