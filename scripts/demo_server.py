"""A small demo company, served by the real product in processes of its own; browser tests and screenshots look at it.

With DATABASE_URL and REDIS_URL it has a database and a queue of its own there and a real Celery worker; without them it
runs embedded, on SQLite in a folder of its own.
"""

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import ExitStack
from pathlib import Path
from typing import Any, Self

import psycopg2
import redis

ROOT = Path(__file__).resolve().parent.parent
PASSWORD = "hengke-demo"
START_SECONDS = 60


class DemoServer:
    """A context manager; inside it the product answers at `url`."""

    def __init__(self, *, customers: int = 120, seed: int = 1) -> None:
        self.customers, self.seed = customers, seed
        self.port = _free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._name = f"hengke_demo_{os.getpid()}_{self.port}"
        self._folder = tempfile.TemporaryDirectory(prefix="hengke-demo-", ignore_cleanup_errors=True)
        self._processes: list[subprocess.Popen] = []
        self._server, self._broker = os.environ.get("DATABASE_URL", ""), os.environ.get("REDIS_URL", "")
        self._has_services = bool(self._server and self._broker)
        self._env = self._environment()

    def __enter__(self) -> Self:
        with ExitStack() as on_failure:
            on_failure.push(self)
            if self._has_services:
                self._administer(f'CREATE DATABASE "{self._name}"')
            self.manage("migrate", "--verbosity", "0")
            self.manage("load_demo", "--customers", str(self.customers), "--seed", str(self.seed))
            self._start("manage.py", "serve", "--port", str(self.port))
            if self._has_services:
                self._start("-m", "celery", "--app", "crm.celery:app", "worker", "--pool", "solo", "--without-mingle")
            self._wait()
            on_failure.pop_all()
        return self

    def __exit__(self, *_: object) -> None:
        for process in self._processes:
            process.send_signal(signal.SIGTERM)
        for process in self._processes:
            try:
                process.wait(timeout=10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        if self._has_services:
            self._administer(f'DROP DATABASE IF EXISTS "{self._name}" WITH (FORCE)')
            self._clear_broker()
        self._folder.cleanup()

    def manage(self, *arguments: str) -> str:
        """Run a command of manage.py on the demo's database; what it prints."""
        command = [sys.executable, "manage.py", *arguments]
        done = subprocess.run(command, cwd=ROOT, env=self._env, capture_output=True, text=True, check=False)
        if done.returncode:
            raise RuntimeError(f"manage.py {arguments[0]} failed:\n{done.stdout}\n{done.stderr}")
        return done.stdout

    def ask(self, code: str) -> Any:
        """Run Python inside the demo, which leaves its answer in `answer`."""
        printed = self.manage("shell", "--no-imports", "--command", f"import json\n{code}\nprint(json.dumps(answer))")
        return json.loads(printed.strip().splitlines()[-1])

    def _environment(self) -> dict[str, str]:
        outside = ("DATABASE_URL", "REDIS_URL", "DEBUG", "HTTPS", "DJANGO_SETTINGS_MODULE", "LANGUAGE_CODE")
        env = {name: value for name, value in os.environ.items() if name not in outside}
        env |= {"HENGKE_DATA_DIR": self._folder.name, "PYTHONUNBUFFERED": "1"}
        if not self._has_services:
            return env
        return env | {
            "DATABASE_URL": f"{self._server.rpartition('/')[0]}/{self._name}",
            "REDIS_URL": self._broker,
            "DEBUG": "true",
            "HTTPS": "false",
            "SECRET_KEY": secrets.token_urlsafe(60),
            "DJANGO_SETTINGS_MODULE": "scripts.demo_settings",
        }

    def _start(self, *arguments: str) -> None:
        with open(self._log, "ab") as log:
            process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=self._env, stdout=log, stderr=log)
        self._processes.append(process)

    def _wait(self) -> None:
        deadline = time.monotonic() + START_SECONDS
        while not _answers(f"{self.url}/readyz"):
            if self._processes[0].poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"The demo does not answer at {self.url}:\n{self.written()}")
            time.sleep(0.1)

    def written(self, since: int = 0) -> str:
        """What server and worker have written, from this character on."""
        return self._log.read_text(encoding="utf-8")[since:]

    @property
    def _log(self) -> Path:
        return Path(self._folder.name) / "server.log"

    def _administer(self, statement: str) -> None:
        connection = psycopg2.connect(f"{self._server.rpartition('/')[0]}/postgres")
        connection.autocommit = True
        with connection.cursor() as cursor:
            cursor.execute(statement)
        connection.close()

    def _clear_broker(self) -> None:
        broker = redis.Redis.from_url(self._broker)
        for key in broker.scan_iter(f"*{self._name}*"):
            broker.delete(key)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as response:
            return response.status == 200
    except (urllib.error.URLError, OSError):
        return False
