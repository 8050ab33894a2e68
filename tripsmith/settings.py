"""Every setting of Tripsmith, its environment variable and its default, in one typed class."""

import os
from pathlib import Path
from typing import Annotated

import platformdirs
from pydantic import Field, field_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from tripsmith.logs import LogFormat, LogLevel
from tripsmith.rejection_limit import parse_limit


def default_data_dir() -> Path:
    """Return where data lies unless told otherwise: the user's data folder, or /var/lib for root.

    PostgreSQL refuses to run as root and the user it runs as instead cannot enter /root.
    """
    if os.geteuid() == 0:
        return Path("/var/lib/tripsmith")
    return Path(platformdirs.user_data_dir("tripsmith"))


class Settings(BaseSettings):
    """Settings read from `TRIPSMITH_*` environment variables; command-line options override them."""

    model_config = SettingsConfigDict(env_prefix="TRIPSMITH_", frozen=True, extra="ignore")

    data_dir: Annotated[Path, NoDecode] = Field(
        default_factory=default_data_dir, description="Folder of the embedded database, its socket, logs and uploads."
    )
    database_url: str | None = Field(
        default=None, description="URL of a PostgreSQL 16+ server to use instead of the embedded one."
    )
    host: str = Field(default="127.0.0.1", description="Address that `tripsmith serve` listens on.")
    port: int = Field(default=8000, ge=0, le=65535, description="Port that `tripsmith serve` listens on.")
    public_names: str = Field(
        default="",
        description="Names, with commas between, by which a proxy in front makes the server known to others.",
    )
    watch_dir: Annotated[Path | None, NoDecode] = Field(
        default=None, description="Folder that `tripsmith serve` watches: files dropped into it are ingested."
    )
    workers: int = Field(default=1, ge=0, le=64, description="Workers that `tripsmith serve` starts; 0 for none.")
    shared_dir: Annotated[Path | None, NoDecode] = Field(
        default=None, description="Folder for uploads that every machine with a worker sees at this same path."
    )
    map_style: str | None = Field(
        default=None, description="URL of a MapLibre style for the dashboard's map, to use instead of the built-in one."
    )
    max_upload_bytes: int = Field(default=20_000_000_000, gt=0, description="Largest upload taken, in bytes.")
    max_rejected: str | None = Field(
        default=None,
        description="How many rows of a file may be rejected before all of it fails: a number, or a share such as 5%.",
    )
    silent_seconds: float = Field(
        default=300, gt=0, description="A request of whose body nothing comes for so many seconds is refused."
    )
    refuse_overlap: bool = Field(
        default=False, description="Fail a file that shares most of its rows with another, instead of noting it."
    )
    keep_uploads: bool = Field(default=False, description="Keep uploads after their ingestion has succeeded.")

    log_format: LogFormat = Field(default="text", description="Log lines for people (text) or for machines (json).")
    log_level: LogLevel = Field(default="warning", description="From which level up to log; info names every request.")

    @field_validator("max_rejected")
    @classmethod
    def _check_limit(cls, text: str | None) -> str | None:
        return parse_limit(text).text if text else None

    @property
    def names(self) -> frozenset[str]:
        """The public names, in lower case."""
        return frozenset(name.strip().lower() for name in self.public_names.split(",") if name.strip())

    @property
    def uploads_dir(self) -> Path:
        """Folder in which uploads and spooled standard input lie until they are ingested."""
        return (self.shared_dir or self.data_dir) / "uploads"
