"""The streams by which pages follow what happens.

A stream says that something changed; the page fetches itself anew. What a page shows has a version, and a stream is
asked for from that version on, so that nothing is missed between the two. Streams end by themselves after a while and
are asked for again: a browser that waits for a page to come to rest, a proxy and a server that is to end need not wait
for long.
"""

import asyncio
import zlib
from collections.abc import AsyncIterator, Callable

from fastapi import Request
from fastapi.concurrency import run_in_threadpool
from fastapi.responses import StreamingResponse

from bisector.core.model.units import Seconds
from bisector.engine.ports import Clock

LOOK_SECONDS: Seconds = 1.0
"""How often a stream looks whether something changed."""
LIFE_SECONDS: Seconds = 10.0
AGAIN_SECONDS: Seconds = 2.0
"""How long a browser waits before it asks for a stream that has ended."""
MOST_KEPT = 1000


def version_of(state: object) -> str:
    """A short text that is another one for another state."""
    return f"{zlib.crc32(repr(state).encode()):08x}"


class Looks:
    """Looks at what pages follow, once for all who follow the same."""

    def __init__(self, clock: Clock) -> None:
        """Nothing was looked at yet."""
        self._clock = clock
        self._seen: dict[str, tuple[Seconds, str]] = {}

    async def version(self, what: str, read: Callable[[], object]) -> str:
        """The version of `what`, at most so old as a look lasts."""
        now = self._clock.monotonic()
        seen = self._seen.get(what)
        if seen is not None and now - seen[0] < LOOK_SECONDS / 2:
            return seen[1]
        found = version_of(await run_in_threadpool(read))
        if len(self._seen) >= MOST_KEPT:
            self._seen.clear()
        self._seen[what] = (now, found)
        return found

    def stream(self, request: Request, what: str, read: Callable[[], object]) -> StreamingResponse:
        """Tell whoever asks each time when `what` has another version than the one they know."""

        async def events() -> AsyncIterator[str]:
            asked = request.headers.get("last-event-id") or request.query_params.get("since")
            known = asked or await self.version(what, read)
            yield f"retry: {AGAIN_SECONDS * 1000:.0f}\nid: {known}\n\n"
            end = self._clock.monotonic() + LIFE_SECONDS
            while self._clock.monotonic() < end and not await request.is_disconnected():
                now = await self.version(what, read)
                if now != known:
                    known = now
                    yield f"event: changed\nid: {known}\ndata:\n\n"
                await asyncio.sleep(LOOK_SECONDS)

        return StreamingResponse(events(), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})
