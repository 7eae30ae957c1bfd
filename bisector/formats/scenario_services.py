"""Services in a scenario file: what is there while the command of [run] puts load on it."""

import re
from collections.abc import Iterable, Sequence
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from bisector.core.model.scenario import Probe, Ready, Service
from bisector.formats.tables import Env, Table, Text

MOST_SERVICES = 8
_HTTP = re.compile(r"http://(?:127\.0\.0\.1|localhost|\[::1\]):([0-9]{1,5}|\{port(?:\.[a-z0-9_-]+)?\})(/\S*)?")
_PORT = re.compile(r"[0-9]{1,5}|\{port(?:\.[a-z0-9_-]+)?\}")
_PLACEHOLDER = re.compile(r"\{port(?:\.([^{}]*))?\}")
_NO_PROBE = "say how to tell that it is ready: ready = {tcp = 8080}, {http = …}, {log = …} or {command = […]}"


class ReadyTable(Table):
    """How to tell that a service is ready: exactly one of these, asked from where it runs."""

    tcp: int | str | None = Field(None, description="a port that takes connections: 8080, or '{port}'")
    http: Text | None = Field(
        None, description="an address that answers with success: 'http://127.0.0.1:{port}/health'"
    )
    log: Annotated[str, Field(min_length=1, max_length=1000)] | None = Field(None, description="a text in its log")
    command: Annotated[list[Text], Field(min_length=1)] | None = Field(None, description="a command that ends with 0")

    @model_validator(mode="after")
    def _one_of_them(self) -> "ReadyTable":
        named = [name for name in Probe if getattr(self, name) is not None]
        if len(named) != 1:
            raise ValueError("name exactly one of tcp, http, log and command")
        if self.tcp is not None and not _is_port(str(self.tcp)):
            raise ValueError(f"no port: {self.tcp!r}; write 8080 or '{{port}}'")
        if self.http is not None:
            _parts(self.http)
        return self

    def to_core(self) -> Ready:
        """The same as a value."""
        if self.tcp is not None:
            return Ready(probe=Probe.TCP, words=(str(self.tcp),))
        if self.http is not None:
            return Ready(probe=Probe.HTTP, words=_parts(self.http))
        if self.log is not None:
            return Ready(probe=Probe.LOG, words=(self.log,))
        return Ready(probe=Probe.COMMAND, words=tuple(self.command or ()))


class ServiceTable(Table):
    """A program that is there while the command of [run] puts load on it, started anew for every run."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]*$", max_length=40)] = Field(
        "service", description="what messages and {port.NAME} call it"
    )
    command: list[Text] = Field(
        min_length=1,
        description="argument list, no shell; it stays in the foreground. {port} is a free port chosen for it, "
        "{port.NAME} that of another service",
    )
    env: Env = Field(default={}, description="on top of the environment of [run]")
    ready: ReadyTable | None = Field(None, description="how to tell that it is ready; by default that {port} is open")
    ready_seconds: float = Field(30.0, gt=0, le=3600, strict=False, description="how long that may take")
    stop_signal: Literal["SIGTERM", "SIGINT", "SIGQUIT", "SIGHUP"] = Field(
        "SIGTERM", description="what it is told to stop by; SIGINT ends a plain Python server in order"
    )
    stop_seconds: float = Field(10.0, gt=0, le=600, strict=False, description="how long it may take to end after that")

    metrics: Text | None = Field(
        None,
        description="where it tells of itself, for metrics from prometheus: 'http://127.0.0.1:{port}/metrics'; asked "
        "before and after the load",
    )

    @model_validator(mode="after")
    def _tells_when_ready(self) -> "ServiceTable":
        if self.ready is None and not any("{port}" in text for text in (*self.command, *self.env.values())):
            raise ValueError(_NO_PROBE)
        if self.metrics is not None:
            _parts(self.metrics)
        return self

    def to_core(self) -> Service:
        """The same as a value."""
        ready = self.ready.to_core() if self.ready else Ready(probe=Probe.TCP, words=("{port}",))
        return Service(
            name=self.name,
            command=tuple(self.command),
            ready=ready,
            env=dict(self.env),
            ready_seconds=self.ready_seconds,
            stop_seconds=self.stop_seconds,
            stop_signal=self.stop_signal,
            metrics=_parts(self.metrics) if self.metrics else (),
        )


class ClientTable(Table):
    """Where the command of [run] puts load from."""

    image: Text = Field(
        min_length=1,
        description="Docker: the image that the command runs in, in the network of the services and with {out} and "
        "{scenario}; nothing of it has to be in the candidate's image",
    )


def service_table(service: Service) -> dict[str, Any]:
    """A service as the table it could have been read from."""
    words, probe = service.ready.words, service.ready.probe
    match probe:
        case Probe.HTTP:
            told: str | list[str] = f"http://127.0.0.1:{words[0]}{words[1]}"
        case Probe.COMMAND:
            told = list(words)
        case _:
            told = words[0]
    return {
        "name": service.name,
        "command": list(service.command),
        "env": dict(service.env),
        "ready": {str(probe): told},
        "ready_seconds": service.ready_seconds,
        "stop_signal": service.stop_signal,
        "stop_seconds": service.stop_seconds,
        "metrics": f"http://127.0.0.1:{service.metrics[0]}{service.metrics[1]}" if service.metrics else None,
    }


def check_services(services: Sequence[Service], others: Iterable[str]) -> None:
    """ValueError where two services have one name, or a word (`others`: those of the run itself) names none."""
    names = [service.name for service in services]
    if len(names) > MOST_SERVICES:
        raise ValueError(f"{len(names)} services, more than {MOST_SERVICES}")
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two services are called {twice[0]!r}: give each a name of its own")
    words = [*others]
    for service in services:
        words += [*service.command, *service.ready.words, *service.metrics, *service.env.values()]
    for word in words:
        for name in _PLACEHOLDER.findall(word):
            if name and name not in names:
                raise ValueError(f"{{port.{name}}}: no service is called {name!r}; there are: {', '.join(names)}")


def _parts(address: str) -> tuple[str, str]:
    """Port and path of an address; ValueError where it is none that can be asked."""
    found = _HTTP.fullmatch(address)
    if found is None or not _is_port(found[1]):
        raise ValueError(f"{address!r} is not like 'http://127.0.0.1:{{port}}/health'; it is asked on loopback")
    return found[1], found[2] or "/"


def _is_port(text: str) -> bool:
    return bool(_PORT.fullmatch(text)) and (not text.isdigit() or 0 < int(text) < 1 << 16)
