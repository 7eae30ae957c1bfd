"""`bisector serve`: the service over HTTP, until it is asked to end."""

import click


@click.command(name="serve")
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [default: that of the settings, 127.0.0.1]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.  [default: 8372]")
def command(host: str | None, port: int | None) -> int:
    """Take orders and alerts over HTTP and show what comes of them. Workers do the work: start `bisector worker` too.

    What may be asked for is configured in bisector.toml: repositories, hooks with their secrets, tokens.
    """
    # Imported here: help and mistyped options are answered without what only the server needs.
    from bisector.server.running import run_server

    run_server(host, port)
    return 0
