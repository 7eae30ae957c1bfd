"""What a server does beside answering, a turn of it in a process of its own."""

import click


def send() -> int:
    """Note what is to be told, and send what is due."""
    from bisector.engine.stop import StopSignal
    from bisector.wiring import Wiring
    from bisector.wiring.notify import make_sender

    wiring = Wiring(StopSignal())
    sender = make_sender(wiring, click.echo)
    if sender is None:
        raise ValueError("nobody is to be told")
    sender.turn(StopSignal())
    wiring.close()
    return 0


TURNS = {"turn of the sender": send}
"""By what a test types for it."""
