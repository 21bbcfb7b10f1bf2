"""The container files name things of the project by strings: each of these strings must still be true."""

import ast
import importlib
import json
import re
import shlex
from fnmatch import fnmatch
from pathlib import Path

import jsonschema
import pytest
import yaml
from django.core.management import get_commands
from django.urls import resolve

ROOT = Path(__file__).resolve().parent.parent
COMPOSE_TEXT = (ROOT / "docker-compose.yml").read_text()
COMPOSE = yaml.safe_load(COMPOSE_TEXT)
DOCKERFILE = re.sub(r"\\\n", " ", (ROOT / "Dockerfile").read_text())
SERVICES = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if "build" in service}
# Variables that programs of the image read themselves.
READ_BY_OTHERS = {"PATH", "PYTHONUNBUFFERED", "PYTHONDONTWRITEBYTECODE", "WEB_CONCURRENCY"}
REFERENCE = re.compile(r"\$\{(\w+)(:[?-])?")


def variables_that_settings_read() -> set[str]:
    """Names in capitals that settings.py hands to a reader of the environment."""
    calls = [node for node in ast.walk(ast.parse((ROOT / "crm/settings.py").read_text())) if isinstance(node, ast.Call)]
    given = [part.value for call in calls for part in call.args if isinstance(part, ast.Constant)]
    return {value for value in given if isinstance(value, str) and re.fullmatch(r"[A-Z][A-Z_]+", value)}


def words_of(command: list[str] | str) -> list[str]:
    """A command as words, from any of the ways in which compose and Dockerfile write one."""
    words = shlex.split(command) if isinstance(command, str) else list(command)
    if words[0] in ("CMD", "CMD-SHELL"):
        words = words_of(words[1]) if words[0] == "CMD-SHELL" else words[1:]
    return words


def commands_of_services() -> list[tuple[str, list[str]]]:
    found = [(name, words_of(service["command"])) for name, service in OURS.items()]
    checks = [(name, service["healthcheck"]) for name, service in OURS.items()]
    return found + [(f"{name} health", words_of(check["test"])) for name, check in checks if "test" in check]


def commands_of_dockerfile() -> list[tuple[str, list[str]]]:
    lists = re.findall(r"CMD (\[.*\])", DOCKERFILE)
    runs = re.findall(r"python manage\.py [\w -]+", DOCKERFILE)
    return [("image", json.loads(text)) for text in lists] + [("image", shlex.split(text)) for text in runs]


COMMANDS = commands_of_services() + commands_of_dockerfile()


def is_ignored(path: str) -> bool:
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    patterns = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return any(fnmatch(path.split("/")[0], pattern) or fnmatch(path, pattern) for pattern in patterns)


def assert_in_image(path: str) -> None:
    assert (ROOT / path).exists(), f"{path} is not in the project"
    assert not is_ignored(path), f"{path} is kept out of the image"


def test_compose_file_follows_the_specification():
    schema = json.loads((ROOT / "tests/vendor/compose-spec/compose-spec.json").read_text())
    jsonschema.Draft201909Validator(schema).validate(COMPOSE)


@pytest.mark.parametrize(("where", "words"), COMMANDS, ids=[f"{where}: {' '.join(words)}" for where, words in COMMANDS])
def test_commands_name_what_exists(where, words):
    for word in words:
        if re.fullmatch(r"(deploy/\S+|\S+\.py)", word):
            assert_in_image(word)
        if re.fullmatch(r"[a-z]+(\.\w+)+:\w+", word):
            module, attribute = word.split(":")
            assert hasattr(importlib.import_module(module), attribute)
    if words[:2] == ["python", "manage.py"]:
        assert words[2] in get_commands()


def test_health_checks_ask_pages_that_exist():
    paths = {word for _, words in COMMANDS for word in words if re.fullmatch(r"/[a-z]+", word)}
    assert paths == {"/healthz", "/readyz"}
    for path in paths:
        resolve(path)


def test_the_image_copies_what_exists():
    sources = [words[:-1] for words in map(str.split, re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, re.M))]
    assert sources
    for source in sum(sources, []):
        assert_in_image(source)


def test_the_image_lacks_secrets_and_what_it_does_not_need():
    assert all(map(is_ignored, [".env", ".git", ".venv", "tests", "var"]))
    assert not any(map(is_ignored, ["crm", "grading", "templates", "static", "manage.py", "requirements/runtime.txt"]))


@pytest.mark.parametrize("name", OURS)
def test_services_set_only_variables_that_the_product_reads(name):
    assert set(OURS[name]["environment"]) <= variables_that_settings_read() | READ_BY_OTHERS


def test_the_image_sets_only_variables_that_the_product_reads():
    lines = re.findall(r"^(?:ENV|RUN) (.+)$", DOCKERFILE, re.M)
    names = {name for line in lines for name in re.findall(r"(?:^|\s)([A-Z][A-Z_]+)=", line)}
    assert {"SECRET_KEY", "HENGKE_DATA_DIR"} <= names
    assert names <= variables_that_settings_read() | READ_BY_OTHERS


def test_the_proxy_is_given_what_its_configuration_asks_for():
    asked = set(re.findall(r"\{\$(\w+)", (ROOT / "deploy/Caddyfile").read_text()))
    assert asked == set(SERVICES["proxy"]["environment"])
    assert "name web" in (ROOT / "deploy/Caddyfile").read_text()


def test_secrets_have_no_default():
    secrets = [(name, how) for name, how in REFERENCE.findall(COMPOSE_TEXT) if re.search("SECRET|PASSWORD|TOKEN", name)]
    assert {name for name, how in secrets if how == ":?"} == {"SECRET_KEY", "POSTGRES_PASSWORD"}
    # what need not be configured at all is empty then
    optional = {name for name, how in secrets if how == ":-"}
    assert optional == {"OIDC_CLIENT_SECRET", "WECOM_SECRET", "DINGTALK_CLIENT_SECRET", "FEISHU_APP_SECRET"}
    assert all(f"${{{name}:-}}" in COMPOSE_TEXT for name in optional)


def test_the_example_names_every_variable():
    asked = {name for name, _ in REFERENCE.findall(COMPOSE_TEXT)} - {"HENGKE_VERSION"}
    assert asked == set(re.findall(r"^(\w+)=", (ROOT / ".env.example").read_text(), re.M))


@pytest.mark.parametrize("name", ["web", "worker"])
def test_web_and_worker_can_be_scaled(name):
    assert not {"container_name", "ports", "hostname"} & set(SERVICES[name])


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_says_how_it_lives_and_ends(name):
    service = SERVICES[name]
    if name == "migrate":
        assert service["restart"] == "no"
        return
    assert service["restart"] == "unless-stopped"
    assert service["healthcheck"]["test"]
    assert service["stop_grace_period"]


def test_what_must_survive_lies_in_named_volumes():
    for name, folder in {"postgres": "/var/lib/postgresql/data", "redis": "/data", "web": "/data"}.items():
        volume, target = SERVICES[name]["volumes"][0].split(":")
        assert target == folder
        assert volume in COMPOSE["volumes"]
    assert "--appendonly yes" in " ".join(SERVICES["redis"]["command"])


def test_mounted_files_exist():
    sources = [volume.split(":")[0] for service in SERVICES.values() for volume in service.get("volumes", [])]
    mounted = [source for source in sources if source.startswith(".")]
    assert mounted == ["./deploy/Caddyfile"]
    assert all((ROOT / source).is_file() for source in mounted)


def test_the_product_waits_for_its_database_broker_and_migrations():
    for name in ("web", "worker", "beat"):
        conditions = {other: wait["condition"] for other, wait in SERVICES[name]["depends_on"].items()}
        assert conditions == {
            "migrate": "service_completed_successfully",
            "postgres": "service_healthy",
            "redis": "service_healthy",
        }
