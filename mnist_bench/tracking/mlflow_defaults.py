"""How MLflow behaves in our processes, where the user's environment doesn't say otherwise."""

from __future__ import annotations

import os

__all__ = ["set_mlflow_defaults"]

# MLflow is set up by its environment alone. Whatever the user has set stands.
_DEFAULTS = {
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_LOGGING_LEVEL": "CRITICAL",  # it logs whole tracebacks of what it also raises
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
    # Its own seven retries wait for minutes on a server that isn't there; two wait 5 s.
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "20",
}


def set_mlflow_defaults() -> None:
    """Quiet MLflow, keep it from reporting its use, and bound how long it waits; it reads this when imported."""
    for name, value in _DEFAULTS.items():
        os.environ.setdefault(name, value)
