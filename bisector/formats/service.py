"""What the service is told in `bisector.toml`: repositories, who may send alerts, what is swept, how it is reached."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, StringConstraints, model_validator

from bisector.formats.alerts import SOURCES
from bisector.formats.alerts.signature import SCHEME_OF, Scheme
from bisector.formats.cron import check_cron

Name = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]
Variable = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_][A-Za-z0-9_]{0,99}$")]
Login = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9-]{0,38}$")]
Host = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9.:-]{0,252}$")]
Ref = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9][A-Za-z0-9._/-]{0,199}$")]


Cron = Annotated[str, StringConstraints(max_length=200), AfterValidator(check_cron)]


class Table(BaseModel):
    """A table of the settings file; an unknown key is an error."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class RepositoryTable(Table):
    """A repository that the service may be asked about. Nothing that is not named here is ever built for an alert."""

    name: Name
    location: str = Field(description="a path or an https/ssh URL", min_length=1, max_length=2000)
    branches: tuple[Ref, ...] = Field(("main",), min_length=1, description="only their commits are ever built")
    scenarios: tuple[Name, ...] = Field((), description="which may be asked for; every known one by default")
    runner: Literal["docker", "local"] = "docker"
    forge: Literal["", "github", "gitlab", "gitea"] = Field("", description="what shows the repository")
    web: str = Field("", description="https address of its page there, for links")
    max_runs: int | None = Field(None, ge=1, description="most runs of a job that no person started")
    max_seconds: float | None = Field(None, gt=0, description="longest such a job may take")

    @model_validator(mode="after")
    def _both_or_none(self) -> "RepositoryTable":
        if bool(self.forge) != bool(self.web):
            raise ValueError("forge and web belong together")
        return self

    @property
    def forge_name(self) -> str:
        """What the forge calls it, owner/name; "" where no page is known."""
        return "/".join(self.web.split("/")[3:]).strip("/").removesuffix(".git")


class HookTable(Table):
    """Who may send alerts to /v1/hooks/NAME, and what they mean where they do not say."""

    source: str = Field(description="whose shape the alerts have")
    name: Name = Field("", validate_default=False, description="part of the address; the source by default")
    secret_env: tuple[Variable, ...] = Field(
        min_length=1, max_length=2, description="variables that hold the secret; two while it is changed"
    )
    scheme: Scheme | None = Field(None, description="how the sender proves who it is; as the source does by default")
    repository: Name | None = None
    scenario: Name | None = None
    metric: str | None = Field(None, max_length=200)
    host_class: Name = "default"

    @model_validator(mode="after")
    def _known(self) -> "HookTable":
        if self.source not in SOURCES:
            raise ValueError(f"no such source: {self.source!r} (there is: {', '.join(SOURCES)})")
        return self

    @property
    def address(self) -> str:
        """The last part of its address."""
        return self.name or self.source

    @property
    def proof(self) -> Scheme:
        """How the sender proves who it is."""
        return self.scheme or SCHEME_OF.get(self.source, Scheme.BISECTOR)


class ServerTable(Table):
    """How `bisector serve` is reached."""

    host: str = "127.0.0.1"
    port: int = Field(8372, ge=0, le=65535)
    public_url: str = Field("", description="address that others reach it by, for links in messages")
    token_env: tuple[Variable, ...] = Field(
        (), max_length=2, description="variables that hold the token; needed for any address but this machine's own"
    )
    body_bytes: int = Field(256 * 1024, ge=1024, le=16 << 20, description="largest body of a request")
    deliveries_days: float = Field(7.0, ge=0.01, description="how long a delivery is remembered, not to be done twice")


class BotTable(Table):
    """Who answers commands in comments on GitHub."""

    name: Login = Field("bisector", description="what a command begins with, after @")
    token_env: Variable = Field(description="variable that holds the token it asks and comments with")
    api: str = Field("https://api.github.com", description="the forge's API", max_length=500)
    host_class: Name = Field("default", description="kind of host that measures what it is asked for")
    allow_http: tuple[Host, ...] = Field((), description="hosts that may be talked to without TLS")
    allow_private: tuple[Host, ...] = Field((), description="hosts that may have an address of a private network")


class SweepTable(Table):
    """Scenarios of a branch that are measured night after night, and what finding a change may cost."""

    name: Name
    repository: Name
    branch: Ref | None = Field(None, description="the repository's first branch by default")
    scenarios: tuple[Name, ...] = Field(min_length=1, description="which are measured")
    metrics: tuple[str, ...] = Field((), description="of each scenario; its first by default")
    cron: Cron = Field("0 2 * * *", description="when, in UTC")
    host_class: Name = Field("default", description="kind of host that measures")
    runs: int = Field(5, ge=3, le=10, description="runs a night of the tip, and as many of the accepted commit")
    false_alarms_a_year: float = Field(1.0, gt=0, le=50, description="of one series, before the closer look")
    max_runs: int | None = Field(None, ge=1, description="most runs of a search; the repository's by default")
    max_seconds: float | None = Field(None, gt=0, description="longest a search may take; the repository's by default")
