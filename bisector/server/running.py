"""The work of `bisector serve`: the service over HTTP, until it is asked to end."""

import ipaddress
from contextlib import AbstractContextManager, nullcontext

import click

from bisector.engine.scheduler import scheduled
from bisector.engine.stop import StopSignal
from bisector.errors import UsageError
from bisector.report.text import one_line
from bisector.settings import Settings, secrets
from bisector.wiring import Wiring
from bisector.wiring.service import sweeper


def run_server(host: str | None, port: int | None) -> None:
    """Serve until asked to end; UsageError for settings that would let strangers in."""
    wiring = Wiring(StopSignal())
    settings = wiring.settings
    address, number = host or settings.server.host, settings.server.port if port is None else port
    tokens = secrets(settings.server.token_env)
    if not tokens and not _is_this_machine(address):
        then = "Name a variable with the token in [server] token_env, or listen on 127.0.0.1"
        raise UsageError("without a token only this machine may use the server", where=address, then=then)
    try:
        _serve(wiring, settings, tokens, (address, number))
    finally:
        wiring.close()


def _serve(wiring: Wiring, settings: Settings, tokens: tuple[str, ...], where: tuple[str, int]) -> None:
    try:
        import uvicorn

        from bisector.server.app import create_app
        from bisector.server.assembly import service_of
    except ModuleNotFoundError as error:
        then = "Install it with: pip install 'bisector[server]'"
        raise UsageError(f"the server needs the package {error.name}", then=then) from None
    app = create_app(service_of(wiring, settings, tokens))
    click.echo(f"bisector: serving on http://{where[0]}:{where[1]}; queue {wiring.database.where}", err=True)
    if not settings.repositories:
        click.echo("bisector: no repository is configured: nothing can be asked for, only looked at", err=True)
    config = uvicorn.Config(
        app,
        host=where[0],
        port=where[1],
        log_level="warning",
        timeout_graceful_shutdown=5,
        timeout_keep_alive=30,
        limit_concurrency=200,
        server_header=False,
    )
    with _sweeps(wiring, settings):
        uvicorn.Server(config).run()


def _sweeps(wiring: Wiring, settings: Settings) -> AbstractContextManager[None]:
    """The sweeps, where there are any: the server asks for their jobs, workers measure."""
    if not settings.sweeps:
        return nullcontext()
    _tell(f"sweeps: {', '.join(sweep.name for sweep in settings.sweeps)}")
    return scheduled(sweeper(wiring, _tell), _tell)


def _tell(text: str) -> None:
    click.echo(f"bisector: {one_line(text, 4000)}", err=True)


def _is_this_machine(address: str) -> bool:
    if address == "localhost":
        return True
    try:
        return ipaddress.ip_address(address).is_loopback
    except ValueError:
        return False
