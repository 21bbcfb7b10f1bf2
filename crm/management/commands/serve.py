"""`serve`: the product in one process, for one machine: pages, API, background jobs and their schedule."""

import socket
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from crm.embedded import EmbeddedWorker
from crm.lib.serving import server_of
from crm.wsgi import application


class Command(BaseCommand):
    """Serve the product on this machine until Ctrl-C."""

    help = "Serve pages, API and background jobs on this machine until Ctrl-C. Many users: see docs/operations.md."

    def add_arguments(self, parser: CommandParser) -> None:
        """Declare the arguments."""
        parser.add_argument("--host", default="127.0.0.1")
        parser.add_argument("--port", type=int, default=8000)

    def handle(self, *args: Any, **options: Any) -> None:
        """Serve; with a broker configured the background jobs are the workers' affair."""
        self.check(databases=["default"])
        host, port = options["host"], options["port"]
        server = self._bind(host, port)
        worker = None if settings.REDIS_URL else EmbeddedWorker()
        if worker:
            worker.start()
        self.stdout.write(f"Hengke is at http://{host}:{port}/  (Ctrl-C ends it)")
        try:
            server.run()
        finally:
            if worker:
                worker.stop()

    def _bind(self, host: str, port: int) -> Any:
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError as taken:
                raise CommandError(f"Port {port} is taken ({taken.strerror}): write another, PORT=8001.") from taken
        return server_of(application, host=host, port=port)
