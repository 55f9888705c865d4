"""Services that tests start as plain processes on this machine's loopback, and stop."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg

_DEBIAN = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)  # its packages leave the PATH alone


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def program(name):
    """Where a program is: a test that needs it fails without it, and says what is missing."""
    found = shutil.which(name, path=os.pathsep.join([os.environ["PATH"], *map(str, _DEBIAN)]))
    assert found, f"{name} is not on the PATH: install PostgreSQL (Debian: apt install postgresql)"
    return found


@contextlib.contextmanager
def postgresql(password):
    """A PostgreSQL server of its own, whose superuser is `postgres`; yields its port."""
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="postgresql-") as folder:
        data, as_user = Path(folder, "data"), {}
        if os.geteuid() == 0:  # it refuses to run as root
            nobody = pwd.getpwnam("nobody")
            os.chown(folder, nobody.pw_uid, nobody.pw_gid)
            as_user = {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}
        secret = Path(folder, "password")
        secret.write_text(password)
        secret.chmod(0o644)

        def call(*command):
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, cwd=folder, **as_user)

        make = ("--auth", "scram-sha-256", "--username", "postgres", "--no-sync", "--encoding", "UTF8")
        call(program("initdb"), "--pgdata", str(data), "--pwfile", str(secret), *make)
        options = f"-c listen_addresses=127.0.0.1 -c port={port} -c fsync=off -c unix_socket_directories={folder}"
        server = (program("pg_ctl"), "--pgdata", str(data), "--wait")
        call(*server, "--log", str(Path(folder, "log")), "--options", options, "start")
        try:
            yield port
        finally:
            call(*server, "--mode", "immediate", "stop")


def make_database(port, password, name, template=None):
    """A database on that server, empty or like another; its URI."""
    with psycopg.connect(f"postgresql://postgres:{password}@127.0.0.1:{port}/postgres", autocommit=True) as connection:
        if template:  # nobody may be connected to it
            connection.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [template])
        connection.execute(f"CREATE DATABASE {name} TEMPLATE {template or 'template0'}")
    return f"postgresql://postgres:{password}@127.0.0.1:{port}/{name}"
