"""Settings, read from the environment with the prefix THINICE_ (the table in README.md is checked against this)."""

from functools import lru_cache
from pathlib import Path

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Where things live and how much is allowed. One field is one variable: `home` is THINICE_HOME."""

    model_config = SettingsConfigDict(env_prefix="THINICE_", extra="ignore")

    home: Path = Field(Path(".thinice"), description="Folder of the database, uploads and adversarials; mode 0700")
    host: str = Field("127.0.0.1", description="Address the server listens on; any address but loopback needs a token")
    port: int = Field(8000, ge=1, le=65535, description="Port the server listens on")
    workers: int | None = Field(None, ge=0, le=64, description="Number of worker processes; default: one per device")
    database_url: str | None = Field(None, description="SQLAlchemy URL; default: a SQLite file in the home")
    token: str | None = Field(None, min_length=8, description="Access token for REST (Bearer) and for signing in")
    allowed_hosts: str = Field("", description="More host names the server responds to, separated by commas")
    max_upload_mb: int = Field(1024, ge=1, description="Largest checkpoint or data set file accepted, in MB")
    import_memory_mb: int = Field(4096, ge=256, description="Memory of the child process that opens an upload, in MB")
    import_seconds: int = Field(120, ge=5, description="Time limit of that child process, in seconds")
    chunk_samples: int = Field(100, ge=1, description="Samples after which an evaluation saves its results")
    batch_samples: int | None = Field(
        None, ge=0, description="Samples per pass; 0 finds a fast number. Default: 0 on CUDA, 64 on a CPU"
    )
    low_precision: bool = Field(False, description="On CUDA, attacks explore in bfloat16 far from boundaries")
    training_processes: int = Field(1, ge=1, le=64, description="Processes that share one pruning, one per GPU")
    device: str = Field("auto", description="auto, cpu, cuda or cuda:N")
    demo: bool = Field(True, description="Bring the results of the shipped checkpoints in at the first start")
    datasets_url: str | None = Field(
        None, description="Web folder with the published data sets; default: their authors' servers"
    )
    log_level: str = Field("INFO", description="DEBUG, INFO, WARNING or ERROR")

    @property
    def resolved_database_url(self) -> str:
        """SQLAlchemy URL of the product's own tables (psycopg 3 for Postgres)."""
        if self.database_url is None:
            return f"sqlite:///{self.home.resolve() / 'thinice.db'}"
        for scheme in ("postgres://", "postgresql://"):
            if self.database_url.startswith(scheme):
                return "postgresql+psycopg://" + self.database_url.removeprefix(scheme)
        return self.database_url

    @property
    def jobs_database_url(self) -> str:
        """SQLAlchemy URL of the job engine's tables: a SQLite file of its own, or the same Postgres database."""
        if self.resolved_database_url.startswith("sqlite"):
            return f"sqlite:///{self.home.resolve() / 'jobs.db'}"
        return self.resolved_database_url

    @property
    def artefacts(self) -> Path:
        """Folder of the content-addressed files (weights, data sets, adversarials)."""
        return self.home / "artefacts"


@lru_cache(maxsize=1)
def get_settings() -> Settings:
    """The settings of this process, read once."""
    return Settings()
