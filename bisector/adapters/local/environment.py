"""The environment of steps and runs: made from nothing, so that nothing leaks in that changes what is measured."""

import os
import sys
from collections.abc import Mapping
from pathlib import Path

# What reaches the network needs these; a measured run must not depend on them.
_FOR_BUILDING = (
    *("http_proxy", "https_proxy", "ftp_proxy", "all_proxy", "no_proxy"),
    *("HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "ALL_PROXY", "NO_PROXY"),
    *("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "GIT_SSL_CAINFO", "NODE_EXTRA_CA_CERTS"),
    *("PIP_CERT", "PIP_INDEX_URL", "PIP_EXTRA_INDEX_URL", "PIP_FIND_LINKS", "PIP_TRUSTED_HOST", "PIP_DEFAULT_TIMEOUT"),
    *("UV_INDEX_URL", "UV_DEFAULT_INDEX", "GOPROXY", "CARGO_HTTP_CAINFO", "NPM_CONFIG_REGISTRY"),
)
_TOOLCHAINS = {"RUSTUP_HOME": ".rustup"}
"""Where the programs on PATH find what they stand for, and its place in the user's own home where that is not said."""
_FALLBACK_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def run_env(host: Mapping[str, str], venv: Path, home: Path, tmp: Path) -> dict[str, str]:
    """What a run sees besides what its recipe sets."""
    env = {"PATH": _path(host), "HOME": str(home), "TMPDIR": str(tmp), "LANG": "C.UTF-8", **_toolchains(host)}
    if venv.is_dir():
        env["PATH"] = f"{venv / 'bin'}{os.pathsep}{env['PATH']}"
        env["VIRTUAL_ENV"] = str(venv)
    return env


def build_env(host: Mapping[str, str], pip_cache: Path) -> dict[str, str]:
    """What a build's steps see on top of that: the way to the network, and a cache of downloads they share.

    pip refuses to work outside a virtual environment: a recipe without one must not change the host's Python.
    """
    passed_on = {name: host[name] for name in _FOR_BUILDING if name in host}
    return {
        **passed_on,
        "PIP_CACHE_DIR": str(pip_cache),
        "PIP_REQUIRE_VIRTUALENV": "1",
        "PIP_DISABLE_PIP_VERSION_CHECK": "1",
        "PIP_NO_INPUT": "1",
    }


def _toolchains(host: Mapping[str, str]) -> dict[str, str]:
    """Homes of tool chains that are chosen through the user's home, of which a run has an empty one of its own."""
    usual = {name: Path(host.get("HOME", "/nonexistent")) / place for name, place in _TOOLCHAINS.items()}
    return {name: host.get(name) or str(place) for name, place in usual.items() if name in host or place.is_dir()}


def _path(host: Mapping[str, str]) -> str:
    """The host's search path without bisector's own virtual environment and without one that is activated, whose
    packages are not the candidate's and into which no step may install."""
    others = {os.path.join(sys.prefix, "bin")} if sys.prefix != sys.base_prefix else set()
    if activated := host.get("VIRTUAL_ENV"):
        others.add(os.path.join(activated, "bin"))
    found = [part for part in host.get("PATH", _FALLBACK_PATH).split(os.pathsep) if part and part not in others]
    return os.pathsep.join(found)
