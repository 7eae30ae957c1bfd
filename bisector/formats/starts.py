"""A scenario to start from, written for the benchmark or load test that somebody has already."""

import ast
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TypeGuard

from bisector.errors import UsageError
from bisector.formats.results import strict_json
from bisector.formats.results.problem import ResultProblem

GIT = "command -v git >/dev/null || (apt-get update -qq && apt-get install -y -qq --no-install-recommends git)"
ASV_RUN = """\
#!/bin/sh
# One run of asv in a project of its own: it wants a repository and a machine, and files its results under both.
set -e
cp -r "$1" "$2/project" && cd "$2/project"
git init -q && git -c user.name=bisector -c user.email=bisector@localhost commit -q --allow-empty -m benchmarks
HOME="$2" && export HOME
# asv takes the path of the benchmarked code by this name alone.
ASV_PYTHONPATH="$PYTHONPATH" && export ASV_PYTHONPATH
asv machine --yes --machine here >/dev/null
asv run -E existing --set-commit-hash "$(git rev-parse HEAD)" --machine here --quick --record-samples --bench "$3" >&2
cp results/here/*-existing*.json "$2/asv.json"
"""


@dataclass(frozen=True, kw_only=True)
class Source:
    """What a scenario is made from: a file of a tool, whether pip can install the checkout, and what lies beside it."""

    name: str
    text: str
    installable: bool
    beside: tuple[str, ...] = ()
    """Names of files and directories in the file's own directory that may be data of it."""

    def data(self) -> tuple[str, ...]:
        """What of that the text names in quotes: data that it reads."""
        return tuple(name for name in self.beside if name != self.name and self._quotes(name))

    def _quotes(self, name: str) -> bool:
        return bool(re.search(rf"""["'`](\./)?{re.escape(name)}(["'`]|/[^"'`\n]*["'`])""", self.text))


@dataclass(frozen=True, kw_only=True)
class Start:
    """A scenario's text, files to write beside it, what to copy there from beside the file, and what is left to do."""

    text: str
    files: Mapping[str, str] = field(default_factory=dict)
    copies: tuple[str, ...] = ()
    left: tuple[str, ...] = ()


def start_from(tool: str, source: Source, name: str) -> Start:
    """The scenario called `name` that runs what `source` is; UsageError where that cannot be told from it."""
    return STARTS[tool](source, name)


def _scenario(source: Source, name: str, tool: str, parts: Mapping[str, object], metric: Mapping[str, object]) -> str:
    """A scenario file. `parts` holds steps, command and env; a metric's key "" is a comment behind `select`."""
    tools = _strings(parts.get("steps"))
    steps = ["pip install --no-cache-dir ."] if source.installable else []
    env = {} if source.installable else {"PYTHONPATH": "{source}/src:{source}"}
    lines = [
        "schema = 1",
        f"name = {_toml(name)}",
        f"description = {_toml(f'{source.name}, run by {tool}.')}",
        "",
        "[build]",
        'image = "python:3.11-slim"      # base image, for Docker; the local runner uses this machine',
        *([f"dependency_steps = {_toml(tools)}  # once for all commits"] if tools else []),
        f"steps = {_toml(steps)}",
        "",
        "[run]",
        f"command = {_toml(parts['command'])}",
        "timeout_seconds = 300",
        *([f"env = {{PYTHONPATH = {_toml(env['PYTHONPATH'])}}}"] if env and parts.get("python", True) else []),
        "",
        "[[metrics]]",
        f"source = {_toml(tool)}",
        *(f"{key} = {_toml(value)}" for key, value in metric.items() if key),
        *([f"# {metric['']}"] if metric.get("") else []),
        "",
    ]
    return "\n".join(lines)


def _strings(found: object) -> list[str]:
    return [str(each) for each in found] if isinstance(found, list) else []


def _toml(value: object) -> str:
    """Text or a list of texts in TOML, in which JSON's strings are strings too."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")


def _select(names: list[str], usual: str) -> dict[str, object]:
    """The metric's name and benchmark: the first of what there is, or whatever the file turns out to hold."""
    if not names:
        return {"name": usual, "": "select = ...: name the benchmark if there are several; `scenario check` lists them"}
    others = f"also there: {', '.join(names[1:8])}" if len(names) > 1 else ""
    return {"name": names[0].rsplit(".", 1)[-1], "select": names[0], "": others}


def _tree(source: Source) -> ast.Module:
    try:
        return ast.parse(source.text)
    except (SyntaxError, ValueError, RecursionError) as error:
        raise UsageError("it is not a Python file", where=source.name, then=str(error)[:200]) from None


def _is_function(node: ast.AST) -> TypeGuard[ast.FunctionDef | ast.AsyncFunctionDef]:
    return isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)


def _pytest_benchmark(source: Source, name: str) -> Start:
    tree = _tree(source)
    tests = [
        node
        for node in ast.walk(tree)
        if _is_function(node)
        and node.name.startswith("test")
        and any(argument.arg == "benchmark" for argument in node.args.args)
    ]
    if not tests:
        raise UsageError("no test in it takes `benchmark`", where=source.name, then="Name the file with the benchmarks")
    # What a parametrised test is called is known when it has run.
    plain = [test.name for test in tests if not any("parametrize" in ast.dump(each) for each in test.decorator_list)]
    alone = f"::{plain[0]}" if plain and plain[0] in {node.name for node in tree.body if _is_function(node)} else ""
    command = ["python", "-m", "pytest", "-q", "-p", "no:cacheprovider", f"{{scenario}}/{source.name}{alone}"]
    # A second a test, as is usual, is a million rounds of a quick one in the file, and runs of ours repeat it anyway.
    command += ["--benchmark-max-time=0.1", "--benchmark-json={out}/benchmark.json"]
    parts = {"steps": ["pip install --no-cache-dir pytest-benchmark"], "command": command}
    text = _scenario(source, name, "pytest-benchmark", parts, {**_select(plain, "time"), "file": "benchmark.json"})
    return Start(text=text, copies=(source.name, "conftest.py", *source.data()))


def _pyperf(source: Source, name: str) -> Start:
    calls = [
        node.args[0].value
        for node in ast.walk(_tree(source))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("bench_func", "bench_time_func", "bench_async_func", "bench_command", "timeit")
        and node.args
        and isinstance(node.args[0], ast.Constant)
    ]
    names = [called for called in calls if isinstance(called, str)]
    command = ["python", f"{{scenario}}/{source.name}", "-o", "{out}/pyperf.json", "--quiet"]
    # pyperf clears the environment of its workers; a few of them do, since every run of ours starts new ones.
    command += ["--processes=3", "--values=3", "--warmups=1", "--inherit-environ=PYTHONPATH"]
    parts = {"steps": ["pip install --no-cache-dir pyperf"], "command": command}
    text = _scenario(source, name, "pyperf", parts, {**_select(names, "time"), "file": "pyperf.json"})
    return Start(text=text, copies=(source.name, *source.data()))


def _asv(source: Source, name: str) -> Start:
    # asv allows comments in its JSON.
    bare = re.sub(r"^\s*//.*$", "", source.text, flags=re.MULTILINE)
    try:
        found = strict_json.loads(re.sub(r",(\s*[}\]])", r"\1", bare))
    except ResultProblem as problem:
        raise UsageError("it is no asv.conf.json", where=source.name, then=str(problem)) from None
    directory = str(found.get("benchmark_dir", "benchmarks")) if isinstance(found, dict) else "benchmarks"
    if directory.startswith("/") or ".." in directory.split("/"):
        raise UsageError(f"its benchmark_dir {directory!r} is not below it", where=source.name)
    own = {"version": 1, "project": name, "repo": ".", "branches": ["HEAD"], "benchmark_dir": directory}
    own |= {"environment_type": "existing", "results_dir": "results"}
    command = ["sh", "{scenario}/asv.sh", "{scenario}", "{out}", "."]
    parts = {"steps": [GIT, "pip install --no-cache-dir asv"], "command": command}
    text = _scenario(source, name, "asv", parts, {**_select([], "time"), "file": "asv.json"})
    files = {"asv.conf.json": json.dumps(own, indent=2) + "\n", "asv.sh": ASV_RUN}
    left = ("the last word of `command` is the expression that says which benchmarks are run: make it narrow",)
    return Start(text=text, files=files, copies=(directory,), left=left)


def _hyperfine(source: Source, name: str) -> Start:
    try:
        found = strict_json.loads(source.text)
        commands = [str(each["command"]) for each in found["results"]]
    except (ResultProblem, KeyError, TypeError):
        raise UsageError(
            "it is not what `hyperfine --export-json` writes", where=source.name, then="Name a file of its results"
        ) from None
    if not commands:
        raise UsageError("it holds no command", where=source.name)
    command = ["hyperfine", "--warmup", "1", "--runs", "5", "--export-json", "{out}/hyperfine.json", *commands]
    install = "command -v hyperfine >/dev/null || (apt-get update -qq && apt-get install -y -qq hyperfine)"
    metric = {**_select(commands, "time"), "name": "seconds", "file": "hyperfine.json"}
    text = _scenario(source, name, "hyperfine", {"steps": [install], "command": command}, metric)
    left = ('for one plain command hyperfine is not needed: bisector times it itself (source = "wall")',)
    return Start(text=text, left=left if len(commands) == 1 else ())


def _k6(source: Source, name: str) -> Start:
    command = ["k6", "run", "--quiet", "--no-usage-report", "--summary-export={out}/k6.json"]
    command.append(f"{{scenario}}/{source.name}")
    metric = {"name": "p95", "select": "http_req_duration", "statistic": "p95", "file": "k6.json"}
    text = _scenario(source, name, "k6", {"steps": [], "command": command}, metric)
    return Start(text=text, copies=(source.name, *source.data()), left=("k6 has to be in the image", SERVICE))


def _locust(source: Source, name: str) -> Start:
    _tree(source)
    command = ["locust", "-f", f"{{scenario}}/{source.name}", "--headless", "-u", "10", "-r", "10", "-t", "20s"]
    command += ["--host", "http://127.0.0.1:8000", "--only-summary", "--json-file", "{out}/locust"]
    # The mean: Locust rounds what its percentiles are made of.
    metric = {"name": "latency", "select": "Aggregated", "statistic": "mean", "file": "locust.json"}
    parts = {"steps": ["pip install --no-cache-dir locust"], "command": command}
    text = _scenario(source, name, "locust", parts, metric)
    return Start(text=text, copies=(source.name, *source.data()), left=(SERVICE,))


SERVICE = "what is loaded has to be started by the command, on 127.0.0.1: wrap it in a script that starts and ends it"
STARTS: Mapping[str, Callable[[Source, str], Start]] = {
    "pytest-benchmark": _pytest_benchmark,
    "pyperf": _pyperf,
    "asv": _asv,
    "hyperfine": _hyperfine,
    "k6": _k6,
    "locust": _locust,
}
