"""What the measuring helper is told to do, as its command line."""

from dataclasses import dataclass

from bisector.core.model.units import Bytes, Seconds

OUTPUT_LIMIT: Bytes = 16 << 20
"""More than this on one stream ends a run: it would measure the terminal, not the program."""

GRACE_SECONDS: Seconds = 2.0
"""Between SIGTERM and SIGKILL, for a program that wants to say something first."""

PATIENCE_SECONDS: Seconds = GRACE_SECONDS + 30.0
"""How long after its limit the helper may take to answer before it is taken for broken."""


@dataclass(frozen=True, kw_only=True, slots=True)
class HelperOrder:
    """One command. Without `streams` its output goes to the helper's standard error as it comes (a build's log)."""

    argv: tuple[str, ...]
    cwd: str
    timeout: Seconds
    streams: str = ""
    out: str = ""
    collect: tuple[str, ...] = ()
    fresh: tuple[str, ...] = ()
    cpus: tuple[int, ...] = ()
    memory: Bytes = 0
    """Watched by the helper; 0 where a cgroup sees to it."""
    container: bool = False
    """Alone in a container under the helper's own init."""

    def arguments(self) -> tuple[str, ...]:
        """The helper's arguments."""
        options = [f"--timeout={self.timeout:.3f}", f"--grace={GRACE_SECONDS:.3f}", f"--cwd={self.cwd}"]
        if self.streams:
            options += [f"--streams={self.streams}", f"--output={OUTPUT_LIMIT}"]
        if self.out:
            options += [f"--out={self.out}", *(f"--collect={name}" for name in self.collect)]
        options += [f"--fresh={directory}" for directory in self.fresh]
        if self.cpus:
            options.append("--cpus=" + ",".join(map(str, self.cpus)))
        if self.memory:
            options.append(f"--memory={self.memory}")
        words = [word for option in options for word in option.split("=", 1)]
        return ("run", *words, "--container" if self.container else "--with-parent", "--", *self.argv)
