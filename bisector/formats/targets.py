"""Who is told of answers: the `[[notify]]` tables of `bisector.toml`. Secrets, and addresses that are, stay outside."""

from collections.abc import Mapping
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, model_validator

from bisector.core.model.verdict import VerdictKind
from bisector.formats.service import Host, Name, Table, Variable

Kind = Literal["slack", "webhook", "github", "email", "file"]
Address = Annotated[str, StringConstraints(pattern=r"^[!-?A-~]{1,64}@[A-Za-z0-9][A-Za-z0-9.-]{0,252}$")]

NEEDED: Mapping[Kind, tuple[str, ...]] = {
    "slack": ("url_env",),
    "webhook": ("url_env", "secret_env"),
    "github": ("token_env",),
    "email": ("smtp_host", "sender", "to"),
    "file": ("directory",),
}
"""What a kind cannot do without."""
ALLOWED: Mapping[Kind, tuple[str, ...]] = {
    "slack": ("allow_http", "allow_private"),
    "webhook": ("allow_http", "allow_private"),
    "github": ("api", "allow_http", "allow_private"),
    "email": ("smtp_port", "tls", "user", "secret_env"),
    "file": (),
}
"""What a kind understands besides; the rest would be silently without effect, so it is refused."""
COMMON = frozenset({"kind", "name", "repositories", "verdicts", "improvements"})


class NotifyTable(Table):
    """Somebody, or something, that is told of answers."""

    kind: Kind = Field(description="how it is told")
    name: Name = Field("", validate_default=False, description="what it is called; the kind by default")
    repositories: tuple[Name, ...] = Field((), description="only answers about these; about all by default")
    verdicts: tuple[VerdictKind, ...] = Field(
        (
            VerdictKind.CULPRIT,
            VerdictKind.CULPRIT_SET,
            VerdictKind.SEVERAL,
            VerdictKind.ENVIRONMENT_CHANGED,
        ),
        min_length=1,
        description="only these answers",
    )
    improvements: bool = Field(default=False, description="changes for the better as well")
    url_env: Variable | None = Field(None, description="variable that holds the address, which is a secret itself")
    token_env: Variable | None = Field(None, description="variable that holds the token")
    secret_env: Variable | None = Field(None, description="variable with the signing secret, or the mail password")
    api: str = Field("https://api.github.com", description="the forge's API", max_length=500)
    allow_http: tuple[Host, ...] = Field((), description="hosts that may be told without TLS")
    allow_private: tuple[Host, ...] = Field((), description="hosts that may have an address of a private network")
    smtp_host: Host | None = None
    smtp_port: int = Field(587, ge=1, le=65535)
    tls: Literal["starttls", "implicit", "none"] = Field("starttls", description="none: only for this machine's own")
    user: str = Field("", max_length=200, description="who logs in; nobody does by default")
    sender: Address | None = None
    to: tuple[Address, ...] = ()
    directory: str | None = Field(None, min_length=1, max_length=2000)

    @model_validator(mode="after")
    def _whole(self) -> "NotifyTable":
        needed, known = NEEDED[self.kind], {*NEEDED[self.kind], *ALLOWED[self.kind], *COMMON}
        problems = [f"{self.kind} needs {field}" for field in needed if not getattr(self, field)]
        problems += [f"{self.kind} knows no {field}" for field in sorted(self.model_fields_set - known)]
        if self.kind == "email":
            problems += _mail_problems(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def called(self) -> str:
        """Its name."""
        return self.name or self.kind

    @property
    def variables(self) -> tuple[str, ...]:
        """The variables that have to be set."""
        return tuple(name for name in (self.url_env, self.token_env, self.secret_env) if name)


def _mail_problems(table: NotifyTable) -> list[str]:
    problems = []
    if bool(table.user) != bool(table.secret_env):
        problems.append("user and secret_env belong together")
    if table.tls == "none" and table.smtp_host not in ("localhost", "127.0.0.1", "::1"):
        problems.append("tls = 'none' is for a mail server on this machine only")
    return problems
