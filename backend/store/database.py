"""The engine, its SQLite settings, and the only place that commits.

SQLite: WAL, foreign keys, a busy timeout, and BEGIN IMMEDIATE for writers (with the default, concurrent
read-then-update increments are lost without any error; see decision 0001 of the store).
"""

import fcntl
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, create_engine, event, text
from sqlalchemy.orm import Session
from sqlalchemy.pool import QueuePool

from backend.errors import StartupFailed
from backend.settings import get_settings

MIGRATIONS = Path(__file__).parent / "migrations"
BUSY_SECONDS = 30.0  # how long a writer of SQLite waits for the one before it
STARTUP_LOCK = 7_841_402_310  # any number that nobody else uses as a Postgres advisory lock


def create_database(url: str) -> Engine:
    """An engine for the product's tables with safe SQLite settings.

    Connections have no upper limit: a thread may need a second one while it holds a first, and with a limit the
    threads of a busy web process would all wait for one another. The number of threads is the limit.
    """
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, max_overflow=-1)
    engine = create_engine(
        url, connect_args={"check_same_thread": False, "timeout": BUSY_SECONDS}, poolclass=QueuePool, max_overflow=-1
    )

    @event.listens_for(engine, "connect")
    def _configure(connection: sqlite3.Connection, _record: Any) -> None:
        connection.isolation_level = None  # the driver must not begin transactions of its own
        for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def _begin(connection: Any) -> None:
        is_read_only = connection.get_execution_options().get("read_only", False)
        connection.exec_driver_sql("BEGIN" if is_read_only else "BEGIN IMMEDIATE")

    return engine


@lru_cache(maxsize=4)
def _engine(url: str) -> Engine:
    return create_database(url)


def get_engine() -> Engine:
    """The engine of this process's settings, made once per URL."""
    return _engine(get_settings().resolved_database_url)


def dispose_engines() -> None:
    """Close every connection (tests, and processes that are about to end)."""
    _engine(get_settings().resolved_database_url).dispose()
    _engine.cache_clear()


@contextmanager
def reading() -> Iterator[Session]:
    """A session for questions; it never writes and never waits for writers."""
    connection = get_engine().connect().execution_options(read_only=True)
    try:
        with Session(connection, expire_on_commit=False, autoflush=False) as session:
            yield session
    finally:
        connection.close()


@contextmanager
def writing() -> Iterator[Session]:
    """A session in one transaction: committed at the end, rolled back on any error."""
    with Session(get_engine(), expire_on_commit=False) as session, session.begin():
        yield session


@contextmanager
def writing_if_free() -> Iterator[Session]:
    """As `writing`, for what may be left out: OperationalError at once where somebody else is writing (SQLite)."""
    with get_engine().connect() as connection:
        _set_patience(connection, 0)
        try:
            with Session(connection, expire_on_commit=False) as session, session.begin():
                yield session
        finally:
            _set_patience(connection, BUSY_SECONDS)


def _set_patience(connection: Connection, seconds: float) -> None:
    driver = connection.connection.driver_connection
    if isinstance(driver, sqlite3.Connection):
        driver.execute(f"PRAGMA busy_timeout={int(seconds * 1000)}")


def _alembic(engine: Engine) -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.attributes["engine"] = engine
    return config


def migrate() -> None:
    """Bring the tables to the newest revision.

    Raises:
        StartupFailed: the database was written by a newer version.
    """
    get_settings().home.mkdir(parents=True, exist_ok=True, mode=0o700)
    engine = get_engine()
    config = _alembic(engine)
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    with engine.connect() as connection:
        present = MigrationContext.configure(connection).get_current_revision()
    if present is not None and present not in known:
        raise StartupFailed(
            f"The database was written by a newer Thin Ice (revision {present}). Update, or use another THINICE_HOME.",
            revision=present,
        )
    with one_at_a_time():
        command.upgrade(config, "head")


_startup = threading.RLock()
_startup_depth = 0


@contextmanager
def one_at_a_time() -> Iterator[None]:
    """Hold the start-up lock: web and workers start together, and only one process may change tables. May be nested."""
    global _startup_depth
    with _startup:
        if _startup_depth:
            yield
            return
        _startup_depth = 1
        try:
            with _lock_processes():
                yield
        finally:
            _startup_depth = 0


@contextmanager
def _lock_processes() -> Iterator[None]:
    engine = get_engine()
    if engine.dialect.name == "postgresql":
        with engine.connect() as connection:
            connection.execute(text("SELECT pg_advisory_lock(:key)"), {"key": STARTUP_LOCK})
            try:
                yield
            finally:
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), {"key": STARTUP_LOCK})
        return
    home = get_settings().home
    home.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (home / "start.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # released when the file closes, also by a kill
        yield
