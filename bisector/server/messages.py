"""`/messages`: who was told what, what is still to be told, and what went wrong."""

from collections import Counter
from collections.abc import Mapping
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse, StreamingResponse

from bisector.core.model.units import Seconds
from bisector.engine.notify import Fate, Message
from bisector.report.pages import MessageLine, MessageListing, TargetLine, messages_page
from bisector.server.service import Service
from bisector.server.streams import Looks, version_of

MOST_LISTED = 100
STATES: Mapping[Fate, tuple[str, str]] = {
    Fate.WAITING: ("queued", "queued"),
    Fate.CLAIMED: ("about to be sent", "running"),
    Fate.SENDING: ("being sent", "running"),
    Fate.SENT: ("sent", "done"),
    Fate.GIVEN_UP: ("failed, given up", "paused"),
    Fate.UNSURE: ("may have arrived, not sent again", "paused"),
    Fate.REPEATED: ("told before", "queued"),
    Fate.SKIPPED: ("not wanted there", "queued"),
}
"""What has become of a message in words, and the state of a job that looks the same."""
FAILING = "failed, tried again"


def message_routes(service: Service) -> APIRouter:
    """The routes of messages."""
    routes = APIRouter(include_in_schema=False)
    looks = Looks(service.clock)

    @routes.get("/messages")
    def page(state: str = "") -> HTMLResponse:
        follow = f"/messages/events?since={version_of(_version(service))}"
        return HTMLResponse(messages_page(_listing(service, state), follow=follow))

    @routes.get("/messages/events")
    async def events(request: Request) -> StreamingResponse:
        return looks.stream(request, "messages", lambda: _version(service))

    return routes


def _version(service: Service) -> object:
    """What the page shows, as far as it changes."""
    return service.outbox.counts(), service.outbox.messages(MOST_LISTED, Fate.WAITING)


def _listing(service: Service, state: str) -> MessageListing:
    wanted = next((fate for fate in Fate if fate.name.lower() == state), None)
    counts = service.outbox.counts()
    names = list(dict.fromkeys([*service.told, *sorted({count.target for count in counts})]))
    found = service.outbox.messages(MOST_LISTED, wanted)
    standing: Counter[Fate] = Counter()
    for count in counts:
        standing[count.fate] += count.messages
    number = standing.total() if wanted is None else standing[wanted]
    return MessageListing(
        targets=tuple(
            TargetLine(
                name=name,
                configured=name in service.told,
                counts=_told({count.fate: count.messages for count in counts if count.target == name}),
            )
            for name in names
        ),
        messages=tuple(_line(message) for message in found),
        states=tuple(
            (fate.name.lower(), words, standing[fate]) for fate, (words, _) in STATES.items() if standing[fate]
        ),
        state=state if wanted is not None else "",
        more=max(number - len(found), 0),
    )


def _told(counts: Mapping[Fate, int]) -> tuple[tuple[str, int], ...]:
    """How many stand how, in the order of the words."""
    return tuple((words, counts[fate]) for fate, (words, _) in STATES.items() if counts.get(fate))


def _line(message: Message) -> MessageLine:
    words, tone = STATES[message.fate]
    failing = message.fate is Fate.WAITING and message.attempts > 0
    return MessageLine(
        job=message.job,
        target=message.target,
        state=FAILING if failing else words,
        tone="paused" if failing else tone,
        noted=_moment(message.noted),
        due=_moment(message.due) if failing else "",
        attempts=message.attempts,
        reason=message.reason,
    )


def _moment(epoch: Seconds) -> str:
    return datetime.fromtimestamp(epoch, UTC).isoformat()
