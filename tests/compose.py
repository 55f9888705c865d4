"""The compose file as the tests read it, and its services started as plain processes."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(TEXT)
SERVICES = COMPOSE["services"]
SECRET = re.compile(r"\$\{(\w+):\?[^}]*\}")


def command_line(service, changes):
    """A service's command as the compose file has it, but for `changes`: hosts, ports and folders, by what they are."""
    return [_changed(word, changes) for word in SERVICES[service]["command"]]


def health_check(service, changes):
    """Its health check's, likewise."""
    return [_changed(word, changes) for word in SERVICES[service]["healthcheck"]["test"][1:]]


def environment(service, changes, secrets):
    """Its environment, likewise, with `secrets` by name."""
    given = SERVICES[service].get("environment", {})
    return {
        name: _changed(SECRET.sub(lambda secret: secrets[secret[1]], value), changes) for name, value in given.items()
    }


def on_the_path():
    """An environment in which our own programs come first, as in the image."""
    return os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"}


def _changed(text, changes):
    for old, new in changes.items():
        text = text.replace(old, new)
    return text


class Service:
    """A process, and those that it starts, in a session of their own."""

    def __init__(self, command, log, env=None, **how):
        around = on_the_path()
        program = shutil.which(command[0], path=around["PATH"])
        self._log = log
        with log.open("ab") as out:
            self._process = subprocess.Popen(
                [program, *command[1:]],
                stdout=out,
                stderr=out,
                env=around | (env or {}),
                start_new_session=True,
                **how,
            )

    def answers(self, url, seconds=90):
        """Wait until a page of it answers."""
        deadline = time.monotonic() + seconds
        while status(url) != 200:
            assert self._process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, f"{url} doesn't answer: {self._log.read_text()}"
            time.sleep(0.2)
        return self

    def stop(self, how=signal.SIGTERM):
        """End all of it, and wait until it has ended."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, how)
        try:
            self._process.wait(15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()


def status(url, **headers):
    """The HTTP status that a page answers with; None if nothing does."""
    try:
        with urllib.request.urlopen(urllib.request.Request(url, headers=headers), timeout=5) as answer:  # noqa: S310
            return answer.status
    except urllib.error.HTTPError as error:
        return error.code
    except OSError:
        return None
