import importlib.util
import os
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

SCRIPT = Path(__file__).resolve().parent.parent / "deploy/healthcheck.py"


@pytest.fixture
def healthcheck():
    spec = importlib.util.spec_from_file_location("healthcheck", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def site():
    """A server that answers /readyz for crm.example.com and nothing else."""

    class Pages(BaseHTTPRequestHandler):
        def do_GET(self):
            is_known = self.headers["Host"] == "crm.example.com" and self.path == "/readyz"
            self.send_response(200 if is_known else 503)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Pages) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield server.server_port
        server.shutdown()
        thread.join()


def test_it_asks_as_a_host_that_the_product_knows(healthcheck, site, monkeypatch):
    monkeypatch.setattr(healthcheck, "PORT", site)
    monkeypatch.setenv("ALLOWED_HOSTS", "crm.example.com,other.example.com")
    assert healthcheck.main(["/readyz"]) == 0
    assert healthcheck.main(["/healthz"]) == 1


def test_no_answer_is_not_well(healthcheck, monkeypatch):
    monkeypatch.setattr(healthcheck, "PORT", 1)
    assert healthcheck.main(["/readyz"]) == 1


def test_a_schedule_that_is_not_written_any_more_is_not_well(healthcheck, tmp_path, monkeypatch):
    monkeypatch.setenv("HENGKE_DATA_DIR", str(tmp_path))
    assert healthcheck.main(["--touched", "celerybeat-schedule", "600"]) == 1
    file = tmp_path / "celerybeat-schedule.db"
    file.touch()
    assert healthcheck.main(["--touched", "celerybeat-schedule", "600"]) == 0
    os.utime(file, (time.time() - 700, time.time() - 700))
    assert healthcheck.main(["--touched", "celerybeat-schedule", "600"]) == 1
