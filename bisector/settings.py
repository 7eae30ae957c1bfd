"""Settings: the environment and `bisector.toml`, read here and nowhere else."""

import os
import tomllib
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any

from pydantic import BeforeValidator, Field, ValidationError
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from bisector.errors import UsageError

FILE_NAME = "bisector.toml"


def _directory(value: object) -> object:
    return Path(value).expanduser() if isinstance(value, str) else value


_Directory = Annotated[Path, BeforeValidator(_directory)]


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


def load_settings() -> Settings:
    """The settings of this process; UsageError names every mistake with its place."""
    path = _file()
    values: Mapping[str, Any] = {}
    if path is not None:
        try:
            values = tomllib.loads(path.read_text())
        except OSError as error:
            raise UsageError(f"the settings file cannot be read: {error.strerror}", where=str(path)) from None
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise UsageError(f"the settings file is not TOML: {error}", where=str(path)) from None
    try:
        return Settings(**values)
    except ValidationError as error:
        problems = "; ".join(_problems(error))
        raise UsageError(problems, where=str(path) if path else "environment") from None


PASSED_TO_BUILDS = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")


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
            near = get_close_matches(name, Settings.model_fields, 1)
            told.append(f"unknown setting {name}" + (f"; did you mean {near[0]!r}?" if near else ""))
        else:
            told.append(f"{name}: {problem['msg']}")
    return told
