"""What all tests share: options, markers, and that in CI nothing is skipped for a missing part."""

import os
from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.helpers.compiling import remember_compiled
from tests.helpers.postgres import Server, server

# The same examples for everybody in CI; new ones at every run at home, where somebody can look at what they found.
settings.register_profile("ci", derandomize=True, deadline=None, database=None, max_examples=100)
if os.environ.get("CI"):
    settings.load_profile("ci")
# Tests run beside each other and would disturb each other's runs, which would be made again: up to a quarter more.
os.environ.setdefault("BISECTOR_REJECT_DISTURBED", "false")


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--update-golden` writes the golden files anew; read the difference before committing it."""
    parser.addoption("--update-golden", action="store_true", default=False, help="write golden files anew")


def pytest_configure(config: pytest.Config) -> None:
    """Our own programs are compiled once for all tests, not in each cache anew."""
    if config.cache is not None:
        remember_compiled(config.cache.mkdir("compiled"))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> object:
    """A skip is a failure in CI: every part is there, or CI is not what it says."""
    del item, call
    outcome = yield
    report = outcome.get_result()  # type: ignore[attr-defined]
    if report.skipped and os.environ.get("CI") and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped in CI: {report.longrepr}"


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    """A PostgreSQL of this session's own."""
    with server() as running:
        yield running
