"""What holds of the compose file, whatever is changed in it."""

from __future__ import annotations

import ast
import json
import re
from configparser import ConfigParser

import compose_spec
import dask
import pytest
from compose import COMPOSE, ROOT, SECRET, SERVICES, TEXT

from mnist_bench import __version__
from mnist_bench.execution.local import SETTINGS
from mnist_bench.training.environment import ENVIRONMENT

EXACT = re.compile(r"[\w./-]+:\d+\.\d+\.\d+[\w.-]*|postgres:\d+\.\d+-\w+")  # PostgreSQL's versions have two numbers
each_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


def test_a_parser_of_the_specification_reads_it():
    """No key is misspelt, and no value is of the wrong kind."""
    read = compose_spec.PyCompose.from_json(json.dumps(COMPOSE))
    assert set(read.service_names()) == set(SERVICES)
    with pytest.raises(ValueError, match="tests"):
        compose_spec.PyCompose.from_json('{"services": {"a": {"image": "a:1.0", "healthcheck": {"tests": ["CMD"]}}}}')


def test_no_secret_has_a_default():
    """Whatever is taken from the environment has to be there, stands in `.env.example`, and is empty there."""
    taken = re.findall(r"\$\{[^}]*\}", TEXT.split("services:")[1])
    assert all(SECRET.fullmatch(each) for each in taken)
    listed = dict(
        line.split("=") for line in (ROOT / ".env.example").read_text().splitlines() if not line.startswith("#")
    )
    assert set(listed) == {SECRET.fullmatch(each)[1] for each in taken}
    assert not any(listed.values())
    assert ".env" in (ROOT / ".gitignore").read_text().splitlines()


@each_service
def test_no_secret_is_written_out(service):
    """What is called a password or a key comes from the environment."""
    for name, value in service.get("environment", {}).items():
        if re.search("PASSWORD|SECRET|KEY", name):
            assert SECRET.fullmatch(value)
    assert not SECRET.search(" ".join(service["command"]))


@each_service
def test_ports_are_open_on_this_machine_alone(service):
    """Nothing listens beyond 127.0.0.1."""
    assert all(re.fullmatch(r"127\.0\.0\.1:\d+:\d+", port) for port in service.get("ports", []))


def test_the_database_is_not_published():
    """It has no port, and a network that leads nowhere."""
    assert "ports" not in SERVICES["postgres"]
    assert SERVICES["postgres"]["networks"] == ["database"]
    assert COMPOSE["networks"]["database"]["internal"] is True


@each_service
def test_each_service_is_watched_and_confined(service):
    """A health check, a restart, limits, no root user, a root that is read only, and no privileges."""
    assert service["healthcheck"]["test"][0] == "CMD"
    assert service["restart"] == "unless-stopped"
    assert {"cpus", "memory"} <= set(service["deploy"]["resources"]["limits"])
    assert int(service["user"].split(":")[0]) > 0
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]


def test_what_keeps_something_has_a_volume():
    """The database, and MLflow's artifacts and users."""
    kept = {
        name: [v for v in service.get("volumes", []) if v.split(":")[0] in COMPOSE["volumes"]]
        for name, service in SERVICES.items()
    }
    assert {name for name, volumes in kept.items() if volumes} == {"postgres", "mlflow"}


@each_service
def test_images_have_exact_tags(service):
    """The same file starts the same images next year."""
    assert EXACT.fullmatch(service["image"])


def test_our_image_is_made_of_exact_ones():
    """In stages, by a user who isn't root; and it is called by its version."""
    dockerfile = (ROOT / "Dockerfile").read_text()
    bases = re.findall(r"^FROM (\S+)", dockerfile, re.MULTILINE)
    assert len(bases) > 1
    assert all(EXACT.fullmatch(base) for base in bases)
    assert re.findall(r"^USER (\S+)", dockerfile, re.MULTILINE)[-1] == SERVICES["worker"]["user"]
    assert {s["image"] for s in SERVICES.values() if "build" in s} == {f"mnist-bench:{__version__}"}


def test_mlflow_asks_who_is_there():
    """Basic auth, hosts by name, neither pickle nor jobs; and nobody who has no account sees anything."""
    mlflow = SERVICES["mlflow"]
    assert "--app-name=basic-auth" in mlflow["command"]
    (hosts,) = [word for word in mlflow["command"] if word.startswith("--allowed-hosts=")]
    assert "*" not in hosts
    for name in ("MLFLOW_ALLOW_PICKLE_DESERIALIZATION", "MLFLOW_SERVER_ENABLE_JOB_EXECUTION"):
        assert mlflow["environment"][name] == "false"
    settings = ConfigParser()
    settings.read(ROOT / "deploy" / "mlflow-auth.ini")
    assert settings["mlflow"]["authorization_function"] == "mlflow.server.auth:authenticate_request_basic_auth"
    assert "admin_password" not in settings["mlflow"]


@pytest.mark.parametrize("name", ["scheduler", "worker"])
def test_dask_is_set_as_where_it_is_started_here(name):
    """Saturation is the scheduler's, profiling the workers', and the intervals both's."""
    given = dask.config.collect_env(SERVICES[name]["environment"])
    assert {setting: dask.config.get(setting, config=given) for setting in SETTINGS} == SETTINGS


def test_workers_have_the_environment_of_those_that_are_started_here():
    """What has to be set before a process starts can't come with the data."""
    given = SERVICES["worker"]["environment"]["DASK_DISTRIBUTED__NANNY__PRE_SPAWN_ENVIRON"]
    assert ast.literal_eval(given) == ENVIRONMENT
