"""Services that tests start as plain processes on this machine's loopback, and stop."""

from __future__ import annotations

import contextlib
import os
import pwd
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
from compose import Service, command_line

PASSWORD = "secret"  # noqa: S105 - of a server that lives as long as the tests
_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # its packages leave the PATH alone


def free_port():
    """A port that nobody listens on, nor is given before it is used: the system hands out ports above these."""
    while True:
        port = random.randrange(10_000, 32_768)  # at random: other processes look for one too
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port


def found(name):
    """Where a program of PostgreSQL's is, if anywhere."""
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, _DEBIAN)]))


def program(name):
    """Where a program of PostgreSQL's is; a test that lacks it is skipped, and fails in `.ci/run`."""
    path = found(name)
    if not path:
        missing = f"{name} is not on the PATH: install PostgreSQL (Debian: apt install postgresql)"
        (pytest.fail if "MNIST_BENCH_TEST_ALL" in os.environ else pytest.skip)(missing)
    return path


@contextlib.contextmanager
def postgresql():
    """A PostgreSQL server of its own, started as the compose file does, whose superuser is `postgres`; its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        data, as_user = Path(folder, "data"), {}
        if os.geteuid() == 0:  # it refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        secret = Path(folder, "password")
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        make = ("--auth=scram-sha-256", "--username=postgres", "--no-sync", "--encoding=UTF8", f"--pgdata={data}")
        command = [program("initdb"), *make, f"--pwfile={secret}"]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)
        command = command_line("postgres", {"listen_addresses=*": "listen_addresses=127.0.0.1"})
        command = [program(command[0]), *command[1:], "-c", f"unix_socket_directories={folder}", "-c", "fsync=off"]
        given = {"PGDATA": str(data), "PGPORT": str(port)}
        server = Service(command, Path(folder, "log"), given, cwd=folder, **as_user)
        try:
            for _ in range(100):
                with contextlib.suppress(psycopg.OperationalError), psycopg.connect(_uri(port, "postgres")):
                    break
                time.sleep(0.1)
            yield port
        finally:
            server.stop(signal.SIGINT)  # what PostgreSQL calls a fast shutdown


def run_sql(port, path, secrets):
    """A file of SQL by psql, as the database's image runs it when it is first started."""
    address = {"PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "postgres", "PGPASSWORD": PASSWORD}
    command = [program("psql"), "--quiet", "--no-psqlrc", f"--file={path}"]
    subprocess.run(command, check=True, env=os.environ | address | secrets)


def _uri(port, name):
    return f"postgresql://postgres:{PASSWORD}@127.0.0.1:{port}/{name}"


def make_database(port, name, template=None):
    """A database on that server, empty or like another; its URI."""
    with psycopg.connect(_uri(port, "postgres"), autocommit=True) as connection:
        if template:  # nobody may be connected to it
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [template])
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
    return _uri(port, name)
