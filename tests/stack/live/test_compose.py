"""docker-compose.yml: valid, pinned, private to this machine, and saying when it is ready.

No Docker is needed: the file is held against the Compose specification's own JSON schema, as
check-jsonschema ships it.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import check_jsonschema
import jsonschema
import pytest
import yaml

ROOT = Path(__file__).parents[3]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES = COMPOSE["services"]
SCHEMA_FILE = Path(check_jsonschema.__file__).parent / "builtin_schemas/vendor/compose-spec.json"


def validate(document: Any) -> None:
    schema = json.loads(SCHEMA_FILE.read_text())
    jsonschema.validators.validator_for(schema)(schema).validate(document)


def test_the_file_is_what_the_compose_specification_allows() -> None:
    validate(COMPOSE)


def test_the_schema_refuses_a_misspelt_key() -> None:
    with pytest.raises(jsonschema.ValidationError):
        validate({"services": {"rabbitmq": {"image": "rabbitmq:3", "heathcheck": {}}}})


def test_it_runs_rabbitmq_kafka_and_redis() -> None:
    assert set(SERVICES) == {"rabbitmq", "kafka", "redis"}


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_can_be_reached_from_this_machine_only(name: str) -> None:
    assert SERVICES[name]["ports"]
    for port in SERVICES[name]["ports"]:
        assert re.fullmatch(r"127\.0\.0\.1:\$\{[A-Z_]+:-\d+\}:\d+", port), port


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_version_is_pinned_to_the_patch(name: str) -> None:
    tag = SERVICES[name]["image"].partition(":")[2]
    assert re.match(r"\d+\.\d+\.\d+", tag), SERVICES[name]["image"]


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_says_when_it_is_ready(name: str) -> None:
    check = SERVICES[name]["healthcheck"]
    assert check["test"][0] in ("CMD", "CMD-SHELL")
    assert {"interval", "timeout", "retries"} <= set(check)


@pytest.mark.parametrize("name", SERVICES)
def test_a_services_data_is_in_a_named_volume(name: str) -> None:
    sources = [volume.partition(":")[0] for volume in SERVICES[name]["volumes"]]
    assert sources
    assert set(sources) <= set(COMPOSE["volumes"])


def test_every_configuration_file_is_there_and_used() -> None:
    for name, entry in COMPOSE["configs"].items():
        assert (ROOT / entry["file"]).is_file(), name
    used = {c["source"] for service in SERVICES.values() for c in service.get("configs", [])}
    assert used == set(COMPOSE["configs"])


def test_rabbitmq_has_the_plugins_that_the_course_needs() -> None:
    plugins = (ROOT / "compose/enabled_plugins").read_text()
    assert "rabbitmq_management" in plugins
    assert "rabbitmq_mqtt" in plugins


def test_the_ports_are_those_that_learners_programs_say() -> None:
    published = {
        int(port.rpartition(":-")[2].partition("}")[0]): int(port.rpartition(":")[2])
        for service in SERVICES.values()
        for port in service["ports"]
    }
    assert published == {5672: 5672, 15672: 15672, 1883: 1883, 9092: 9092, 6379: 6379}


def test_kafka_is_one_node_that_is_broker_and_controller() -> None:
    settings = SERVICES["kafka"]["environment"]
    assert settings["KAFKA_PROCESS_ROLES"] == "broker,controller"
    replicated = [value for name, value in settings.items() if "REPLICATION_FACTOR" in name]
    assert replicated
    assert set(replicated) == {"1"}
