"""Where a store is, before anything is opened."""

from __future__ import annotations

import hashlib
import os
import re
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from mnist_bench.errors import StoreError

__all__ = ["SQLITE", "Location", "escaped", "locate", "masked", "nothing_at", "reason"]

SQLITE = "sqlite:///"
_PASSWORD = re.compile(r"(://[^:/\s]*:)\S*(@)|([?&]password=)[^&\s]+")


@dataclass(frozen=True)
class Location:
    """Where a store is, before anything is opened."""

    uri: str  # absolute, and with its password: never shown
    database: Path | None  # the file, where it is SQLite

    @property
    def address(self) -> str:
        """The URI as it may be shown: without its password."""
        return masked(self.uri)

    @property
    def served(self) -> bool:
        """Whether an MLflow server answers there, which keeps the artifacts too."""
        return urlsplit(self.uri).scheme in {"http", "https"}

    @property
    def folder(self) -> Path:
        """Where the files beside the store lie: the database's folder, or `mlruns` here."""
        return self.database.parent if self.database else Path.cwd() / "mlruns"

    @property
    def outbox(self) -> Path:
        """The folder in which finished runs wait for this store, and for no other."""
        if self.database:
            return self.folder / "outbox"
        return self.folder / f"outbox-{hashlib.sha256(self.address.encode()).hexdigest()[:8]}"

    def require(self) -> None:
        """Refuse to read from a database file that isn't there: opening it would make one.

        Raises:
            StoreError: nothing has been recorded there.
        """
        if self.database and not self.database.exists():
            raise StoreError(nothing_at(self.database))


def locate(tracking_uri: str | None = None) -> Location:
    """The store that `tracking_uri` names, or MLFLOW_TRACKING_URI, or `mlruns/mlflow.db` here, in this order.

    Raises:
        StoreError: that is no tracking URI.
    """
    uri = tracking_uri or os.environ.get("MLFLOW_TRACKING_URI") or SQLITE + "mlruns/mlflow.db"
    if not re.match(r"[a-z][a-z0-9+.-]*://", uri) or uri.startswith("file:"):
        raise StoreError(f"{masked(uri)!r} is no tracking URI: give sqlite:///path/to/file.db or http://host:port")
    if not uri.startswith(SQLITE):
        if uri.startswith("sqlite:"):
            raise StoreError(f"{masked(uri)!r} names no file: give sqlite:///path/to/file.db")
        return Location(uri, None)
    path, _, query = uri.removeprefix(SQLITE).partition("?")
    database = Path(unquote(path)).absolute()
    return Location(f"{SQLITE}{escaped(database)}{query and '?'}{query}", database)


def escaped(path: Path) -> str:
    """A path without what a database URI gives another meaning."""
    return str(path).replace("%", "%25").replace("?", "%3F")


def nothing_at(path: Path) -> str:
    """What is said of a store that isn't there yet."""
    return f"nothing recorded yet at {path}: run `mnist-bench run` first"


def reason(failure: Exception) -> str:
    """The first line of what an exception says, without passwords; its name where it says nothing."""
    return masked(str(failure).strip().partition("\n")[0] or type(failure).__name__)


def masked(text: str) -> str:
    """A text with the passwords of its URIs blotted out."""
    return _PASSWORD.sub(r"\1\3***\2", text)
