"""`nox`: the checks of `make test`, each in an environment of its own and on every Python that is there."""

import nox

nox.options.sessions = ["lint", "types", "tests"]
nox.options.error_on_missing_interpreters = False


@nox.session
def lint(session: nox.Session) -> None:
    """Style."""
    session.install("ruff>=0.8")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")


@nox.session
def types(session: nox.Session) -> None:
    """Types, strictly."""
    session.install("-e", ".[dev]")
    session.run("mypy")


@nox.session(python=["3.11", "3.12", "3.13"])
def tests(session: nox.Session) -> None:
    """Everything but the calibration at full size."""
    session.install("-e", ".[dev]")
    session.run(
        "pytest",
        "-n",
        "auto",
        "--dist",
        "loadgroup",
        "-m",
        "not calibration and not long and not alone",
        *session.posargs,
    )
    session.run("pytest", "-m", "alone and not long", *session.posargs)
