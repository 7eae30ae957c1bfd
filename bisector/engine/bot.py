"""Answers commands in comments: who may ask, what is queued for it, and one comment that follows the job."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace

from bisector.engine.asking import Grounds, Refused, order_of
from bisector.engine.commands import Commands, Forge, Noted, Taken, asked_by
from bisector.engine.job import JobState
from bisector.engine.notify import NotSent
from bisector.engine.ports import Store
from bisector.engine.queue import Queue
from bisector.engine.spoken import Spoken, request_spoken, scenarios_of
from bisector.engine.stop import StopSignal
from bisector.engine.turns import turns, waiting_time
from bisector.errors import BisectorError, QueueFull, StoreError, UsageError
from bisector.formats.alerts.commands import CommandProblem, read_command
from bisector.formats.alerts.comments import Comment
from bisector.formats.service import BotTable, RepositoryTable
from bisector.report.document import Report
from bisector.report.messages.conversation import Offer, answer_text, mark_of, refusal_text, standing_text

MOST_FAILURES = 30
"""Attempts in a row, a day's worth, after which a comment is given up."""


@dataclass(frozen=True, kw_only=True)
class BotPorts:
    """What the bot works with."""

    commands: Commands
    forge: Forge
    queue: Queue
    store: Store
    grounds: Grounds
    report: Callable[[str], Report]
    """The report of a job as it stands."""
    address: str
    """Where others reach the server, for links; "" nowhere."""


class Bot:
    """Notes comments and answers them. Several may run, in as many servers: one of them has each comment."""

    def __init__(self, table: BotTable, ports: BotPorts, tell: Callable[[str], None]) -> None:
        """`tell` says to whoever runs the server what goes wrong, and who asked and may not."""
        self._table = table
        self._ports = ports
        self._tell = tell
        self._entries: Mapping[str, RepositoryTable] = ports.grounds.repositories

    @property
    def name(self) -> str:
        """What a command begins with, after @."""
        return self._table.name

    def note(self, comment: Comment, only: str | None) -> str:
        """Note a comment to be seen to; why it is not, where it is not. `only`: of that configured repository."""
        for entry in self._entries.values():
            if entry.forge == "github" and entry.forge_name.lower() == comment.repository.lower():
                if only is not None and entry.name != only:
                    continue
                new = self._ports.commands.note(Noted(repository=entry.name, comment=comment))
                return "" if new else "the comment is seen to already"
        return "the comment is about no repository that is configured here"

    def run(self, stop: StopSignal) -> None:
        """Until asked to stop. What is in hand is finished first."""
        turns(self.turn, stop, "commands", self._tell)

    def turn(self, stop: StopSignal) -> int:
        """See to every comment that is due; how many that were."""
        seen = 0
        while (taken := self._ports.commands.claim()) is not None:
            self._see_to(taken)
            seen += 1
            stop.check()
        return seen

    def _see_to(self, taken: Taken) -> None:
        try:
            self._attend(taken)
        except NotSent as problem:
            self._put_off(taken, problem.reason, problem.after)
        except StoreError:
            raise
        except BisectorError as error:
            self._put_off(taken, error.what, 0.0)
        except Exception as error:
            # It is tried again like everything else; the turn tells of it.
            self._put_off(taken, f"a defect of bisector: {type(error).__name__}", 0.0)
            raise

    def _attend(self, taken: Taken) -> None:
        job = taken.job
        if not job:
            entry = self._entries.get(taken.noted.repository)
            if entry is None:
                self._ports.commands.close(taken, "the repository is no longer configured")
                return
            if not self._may_ask(taken.noted, entry):
                self._ports.commands.close(taken, "whoever wrote it may not write to the repository")
                return
            try:
                job = self._queued(taken.noted, entry)
            except (CommandProblem, UsageError, QueueFull) as error:
                self._refuse(taken, entry, _reason(error))
                return
            if not self._ports.commands.follow(taken, job):
                return
        self._show(taken, job)

    def _may_ask(self, noted: Noted, entry: RepositoryTable) -> bool:
        comment = noted.comment
        if self._ports.forge.may_write(entry.forge_name, comment.login, comment.user):
            return True
        self._tell(f"commands: {asked_by(noted)}: no write access, not answered")
        return False

    def _queued(self, noted: Noted, entry: RepositoryTable) -> str:
        """The job for a comment: a new one, or the one that answers the same question already."""
        command = read_command(noted.comment.line)
        pull = None
        if noted.comment.pull_request:
            pull = self._ports.forge.pull_request(entry.forge_name, noted.comment.issue)
        spoken = Spoken(command=command, noted=noted, entry=entry, pull=pull, host_class=self._table.host_class)
        ask, request = request_spoken(spoken, self._ports.grounds)
        order = replace(order_of(ask, request), asked_by=asked_by(noted))
        return self._ports.queue.enqueue(request, order).job

    def _refuse(self, taken: Taken, entry: RepositoryTable, reason: str) -> None:
        offer = Offer(name=self.name, branches=entry.branches, scenarios=scenarios_of(entry, self._ports.grounds))
        mark = mark_of(taken.noted.comment.comment)
        if self._answer(taken, entry.forge_name, refusal_text(mark, reason, offer)) is not None:
            self._ports.commands.close(taken, reason)

    def _show(self, taken: Taken, job: str) -> None:
        """Say how the job stands. What changes while that is said is said at the next turn."""
        row = self._ports.store.job(job)
        mark, address = mark_of(taken.noted.comment.comment), self._ports.address
        page, whole = (f"{address}/jobs/{job}", f"{address}/v1/jobs/{job}/report") if address else ("", "")
        done = row.state is JobState.DONE
        if done:
            body = answer_text(mark, row.request, self._ports.report(job), page, whole)
        else:
            body = standing_text(mark, row.request, job, row.state.value, page)
        answer = self._answer(taken, taken.noted.comment.repository, body)
        if answer is not None:
            self._ports.commands.shown(taken, row.state.value, answer, last=done)

    def _answer(self, taken: Taken, where: str, body: str) -> int | None:
        """Our comment's number; None where another server sees to it by now."""
        if not self._ports.commands.still_ours(taken):
            return None
        comment = taken.noted.comment
        return self._ports.forge.answer(where, comment.issue, mark_of(comment.comment), body, taken.answer)

    def _put_off(self, taken: Taken, reason: str, after: float) -> None:
        which = f"commands: {asked_by(taken.noted)}: {reason}"
        if taken.failures + 1 >= MOST_FAILURES:
            self._tell(f"{which}; given up")
            self._ports.commands.close(taken, reason)
            return
        wait = max(waiting_time(taken.failures + 1, str(taken.noted.comment.comment)), after)
        self._tell(f"{which}; tried again in {wait:.0f} s")
        self._ports.commands.put_off(taken, reason, wait)


def _reason(error: Exception) -> str:
    """What is told to whoever asked: what they named, and no path or address of ours."""
    if isinstance(error, Refused):
        return f"{error.what} ({error.where})" if error.where else error.what
    return error.what if isinstance(error, BisectorError) else str(error)
