"""Flame graphs: two profiles and their difference in one interactive picture, without a library or a request."""

import base64
import hashlib
from functools import cache
from html import escape
from importlib.resources import files

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from bisector.core.explain.difference import Difference
from bisector.report.flamegraph.drawn import data_of, encoded
from bisector.report.flamegraph.still import still
from bisector.report.text import one_line

__all__ = ["fragment", "page", "policy", "script", "script_source", "still", "stylesheet"]


@cache
def script() -> str:
    """The code of all flame graphs of a page. It stands in the page once, after them."""
    return files(__name__).joinpath("flamegraph.js").read_text(encoding="utf-8")


@cache
def stylesheet() -> str:
    """The rules of all flame graphs of a page."""
    return files(__name__).joinpath("flamegraph.css").read_text(encoding="utf-8")


def script_source() -> str:
    """How a page's policy names the one script that may run: by its digest."""
    digest = base64.b64encode(hashlib.sha256(script().encode()).digest()).decode()
    return f"'sha256-{digest}'"


def policy() -> str:
    """What a browser may do with a page of its own: show it and run our script, nothing else."""
    return (
        f"default-src 'none'; script-src {script_source()}; style-src 'unsafe-inline'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )


def fragment(found: Difference, shares: Difference | None = None) -> str:
    """The graph as a part of a page that holds `script` and `stylesheet`; a still picture where no script runs.

    `shares` is the same pair of profiles compared by their shares; with it there is a switch between the two.
    """
    label = escape(one_line(f"Flame graph of {found.after[:80]} against {found.before[:80]}"))
    return (
        f'<div class="flame" aria-label="{label}"><div class="flame-static">{still(found)}</div>\n'
        f'<script type="application/json">{encoded(data_of(found, shares))}</script></div>'
    )


def page(found: Difference, shares: Difference | None = None, *, title: str, summary: str = "", more: str = "") -> str:
    """A page of its own. `more` is HTML that stands below the graph, made safe by whoever made it."""
    return _template().render(
        title=title,
        summary=summary,
        graph=fragment(found, shares),
        more=more,
        style=stylesheet(),
        script=script(),
        policy=policy(),
    )


@cache
def _template() -> Template:
    loader = PackageLoader("bisector.report", "flamegraph")
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, keep_trailing_newline=True)
    return environment.get_template("page.html.j2")
