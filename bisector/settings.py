"""Settings: the environment and `bisector.toml`, read here and nowhere else."""

import os
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated

from pydantic import BaseModel, BeforeValidator, Field, StringConstraints, ValidationError, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bisector.errors import UsageError
from bisector.formats.marks import MarkTable
from bisector.formats.service import BotTable, HookTable, RepositoryTable, ServerTable, SweepTable
from bisector.formats.targets import NotifyTable

FILE_NAME = "bisector.toml"


def _directory(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str) else value


_Directory = Annotated[Path, BeforeValidator(_directory)]
_Name = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9_.-]{0,39}$")]


class Settings(BaseSettings):
    """Where things are kept and how much may be kept. Each can be set in `bisector.toml` or as BISECTOR_<NAME>."""

    model_config = SettingsConfigDict(env_prefix="BISECTOR_", frozen=True, extra="forbid")

    state_dir: _Directory = Field(default_factory=lambda: _xdg("XDG_STATE_HOME", ".local/state"))
    cache_dir: _Directory = Field(default_factory=lambda: _xdg("XDG_CACHE_HOME", ".cache"))
    database_url: str = Field("", description="SQLAlchemy URL; a SQLite file in the state directory by default")
    scenario_dirs: tuple[_Directory, ...] = Field(default=(), description="where scenarios are looked for by name")
    submodule_urls: tuple[str, ...] = Field(
        default=(), description="where submodules may be fetched from: beginnings of addresses, or absolute directories"
    )
    keep_days: float = Field(default=30.0, gt=0, description="builds unused for longer may be removed by `bisector gc`")
    keep_gigabytes: float = Field(default=20.0, gt=0, description="builds beyond this, longest unused first, as well")
    artifacts_dir: _Directory | None = Field(
        default=None,
        description="files that go with jobs; the state directory by default. Hosts that work together share it",
    )
    host_classes: tuple[_Name, ...] = Field(default=("default",), min_length=1, description="kinds of host this one is")
    host_name: str = Field(
        default="", max_length=200, description="this machine's name in the queue; its own by default"
    )
    queue_limit: int = Field(default=10_000, ge=1, description="most jobs that wait; one more is refused")
    per_repository: int = Field(
        default=0, ge=0, description="most jobs of one repository that are worked on at once; 0: no limit"
    )
    build_slots: int | None = Field(
        default=None,
        ge=0,
        le=64,
        description="waiting jobs whose first builds are made beside the one that is measured; 0: none",
    )
    lease_seconds: float = Field(
        default=30.0, ge=1, le=3600, description="how long a worker may be silent before its job goes to another"
    )
    drain_seconds: float = Field(
        default=10.0, ge=0, description="how long a step may still take once its worker is asked to end"
    )
    repositories: tuple[RepositoryTable, ...] = Field(default=(), description="what the service may be asked about")
    hooks: tuple[HookTable, ...] = Field(default=(), description="who may send alerts")
    notify: tuple[NotifyTable, ...] = Field(default=(), description="who is told of answers")
    marks: tuple[MarkTable, ...] = Field(default=(), description="where it is to be seen that bisector makes load")
    bot: BotTable | None = Field(default=None, description="who answers commands in comments; nobody by default")
    sweeps: tuple[SweepTable, ...] = Field(default=(), description="what is measured night after night")
    server: ServerTable = Field(default_factory=ServerTable, description="how `bisector serve` is reached")

    @model_validator(mode="after")
    def _hangs_together(self) -> "Settings":
        problems = []
        for what, names in (
            ("repository", [entry.name for entry in self.repositories]),
            ("hook", [hook.address for hook in self.hooks]),
            ("notify", [target.called for target in self.notify]),
            ("mark", [mark.called for mark in self.marks]),
            ("sweep", [sweep.name for sweep in self.sweeps]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            problems += [f"more than one {what} is called {name!r}" for name in twice]
        wanted = [(f"hook {hook.address!r}", hook.repository) for hook in self.hooks if hook.repository is not None]
        wanted += [(f"notify {target.called!r}", name) for target in self.notify for name in target.repositories]
        wanted += [(f"mark {mark.called!r}", name) for mark in self.marks for name in mark.repositories]
        known = {entry.name: entry for entry in self.repositories}
        problems += [
            f"{who} is for the repository {name!r}, which is not there" for who, name in wanted if name not in known
        ]
        problems += _of_bot(self.bot, self.hooks, self.repositories)
        problems += [problem for sweep in self.sweeps for problem in _of_sweep(sweep, known.get(sweep.repository))]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """The environment wins over the file, which is passed as initial values."""
        del settings_cls, dotenv_settings, file_secret_settings
        return env_settings, init_settings


def _of_bot(bot: BotTable | None, hooks: Sequence[HookTable], repositories: Sequence[RepositoryTable]) -> Iterable[str]:
    """What a bot could not do without, so that it does not stay silent for reasons that nobody sees."""
    if bot is None:
        return
    if all(hook.source != "github" for hook in hooks):
        yield "bot hears nothing: no hook has the source 'github'"
    if all(entry.forge != "github" for entry in repositories):
        yield "bot has no repository: none has forge = 'github' and its page in web"


def _of_sweep(sweep: SweepTable, repository: RepositoryTable | None) -> Iterable[str]:
    """What a sweep names that its repository does not have."""
    if repository is None:
        yield f"sweep {sweep.name!r} is for the repository {sweep.repository!r}, which is not there"
        return
    if sweep.branch is not None and sweep.branch not in repository.branches:
        yield f"sweep {sweep.name!r} is for the branch {sweep.branch!r}, which is none of its repository's branches"
    for scenario in sweep.scenarios:
        if repository.scenarios and scenario not in repository.scenarios:
            yield f"sweep {sweep.name!r} names the scenario {scenario!r}, which its repository does not allow"


def load_settings() -> Settings:
    """The settings of this process; UsageError names every mistake with its place."""
    path = _file()
    if path is None:
        return parse_settings(b"", where="environment")
    try:
        text = path.read_bytes()
    except OSError as error:
        raise UsageError(f"the settings file cannot be read: {error.strerror}", where=str(path)) from None
    return parse_settings(text, where=str(path))


def parse_settings(text: bytes, *, where: str) -> Settings:
    """The settings in TOML `text` and the environment; UsageError names every mistake with its place."""
    try:
        values = tomllib.loads(text.decode())
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"the settings file is not TOML: {error}", where=where) from None
    try:
        return Settings(**values)
    except ValidationError as error:
        raise UsageError("; ".join(_problems(error)), where=where) from None


PASSED_TO_BUILDS = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


def secrets(names: Iterable[str]) -> tuple[str, ...]:
    """What the variables hold; UsageError names those that are not set. Nothing keeps a secret but the environment."""
    wanted = list(names)
    missing = [name for name in wanted if not os.environ.get(name)]
    if missing:
        then = "Set them where the server is started, or take the names out of bisector.toml"
        raise UsageError(f"secrets are missing: {', '.join(missing)}", where="environment", then=then)
    return tuple(os.environ[name] for name in wanted)


def process_environment() -> dict[str, str]:
    """This process's environment, of which adapters take what they list: PATH, proxies, certificates, ssh's agent."""
    return dict(os.environ)


def container_build_environment() -> dict[str, str]:
    """Proxies that build steps in a container need; no run ever sees them."""
    return {name: os.environ[name] for name in PASSED_TO_BUILDS if name in os.environ}


def _file() -> Path | None:
    """The file BISECTOR_CONFIG names, else `bisector.toml` in the working directory, else the user's; None without."""
    named = os.environ.get("BISECTOR_CONFIG")
    if named:
        return Path(named).expanduser()
    for path in (Path(FILE_NAME), _xdg("XDG_CONFIG_HOME", ".config") / FILE_NAME):
        if path.is_file():
            return path
    return None


def _xdg(variable: str, default: str) -> Path:
    base = os.environ.get(variable)
    return (Path(base) if base else Path.home() / default) / "bisector"


def _problems(error: ValidationError) -> list[str]:
    told = []
    for problem in error.errors():
        name = ".".join(str(part) for part in problem["loc"])
        if problem["type"] == "extra_forbidden":
            near = get_close_matches(str(problem["loc"][-1]), _fields_at(problem["loc"][:-1]), 1)
            told.append(f"unknown setting {name}" + (f"; did you mean {near[0]!r}?" if near else ""))
        else:
            told.append(f"{name}: {problem['msg']}" if name else problem["msg"].removeprefix("Value error, "))
    return told


def _fields_at(place: Sequence[int | str]) -> list[str]:
    """What a setting inside these tables may be called."""
    table: type[BaseModel] = Settings
    for part in place:
        if isinstance(part, str):
            table = TABLES[part]
    return list(table.model_fields)


TABLES: Mapping[str, type[BaseModel]] = {
    "repositories": RepositoryTable,
    "hooks": HookTable,
    "notify": NotifyTable,
    "marks": MarkTable,
    "bot": BotTable,
    "sweeps": SweepTable,
    "server": ServerTable,
}
