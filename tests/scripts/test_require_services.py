import socket
import sys

import pytest

from scripts import require_services
from scripts.require_services import Missing, environment


@pytest.fixture
def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


@pytest.fixture
def nothing_there(closed_port, tmp_path) -> dict[str, str]:
    return {
        "HENGKE_TEST_DATABASE_URL": f"postgres://hengke@127.0.0.1:{closed_port}/hengke",
        "HENGKE_TEST_REDIS_URL": f"redis://127.0.0.1:{closed_port}/0",
        "HENGKE_CHROMIUM": str(tmp_path / "no-browser"),
        "HENGKE_REAL_DATA": str(tmp_path / "no-data"),
    }


def test_each_missing_thing_gets_one_sentence(nothing_there):
    with pytest.raises(Missing) as error:
        environment(nothing_there)
    sentences = str(error.value).splitlines()
    assert [sentence.split(" is missing")[0] for sentence in sentences] == [
        "PostgreSQL",
        "Redis",
        "Chromium",
        "The real data",
    ]
    assert all("HENGKE_" in sentence for sentence in sentences)


def test_real_data_can_be_left_out_on_purpose(nothing_there):
    with pytest.raises(Missing) as error:
        environment(nothing_there | {"HENGKE_WITHOUT": "real_data"})
    assert "real data" not in str(error.value)


def test_it_stops_before_the_command_runs(nothing_there, monkeypatch):
    for name, value in nothing_there.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(require_services.os, "execvpe", lambda *_: pytest.fail("the command ran"))
    with pytest.raises(SystemExit, match="Redis is missing"):
        require_services.main(["true"])


def test_what_is_there_is_handed_to_the_command(tmp_path, monkeypatch):
    monkeypatch.setattr(require_services, "refusal", lambda url: None)
    monkeypatch.setattr(require_services.redis.Redis, "ping", lambda self: True)
    found = environment({"HENGKE_CHROMIUM": sys.executable, "HENGKE_REAL_DATA": str(tmp_path), "PGPORT": "5999"})
    assert found["DATABASE_URL"].startswith("postgres://hengke:hengke@127.0.0.1:5999/hengke_")
    assert found["REDIS_URL"] == "redis://127.0.0.1:6379/15"
    assert found["HENGKE_CHROMIUM"] == sys.executable
    assert found["HENGKE_REAL_DATA"] == str(tmp_path)
