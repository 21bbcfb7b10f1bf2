"""A server of one process: waitress, which by itself sends a body to HEAD that the next answer is read into."""

from collections.abc import Callable, Iterable
from typing import Any

from waitress.channel import HTTPChannel
from waitress.server import create_server
from waitress.task import WSGITask

Application = Callable[[dict[str, Any], Any], Iterable[bytes]]


def server_of(application: Application, *, host: str, port: int) -> Any:
    """A server of the application that listens already; `run` serves, `close` ends it."""
    HTTPChannel.task_class = Task
    return create_server(without_body_for_head(application), host=host, port=port, threads=8, ident="hengke")


def without_body_for_head(application: Application) -> Application:
    """The application, whose answers to HEAD have their headers and nothing after them."""

    def answer(environ: dict[str, Any], start_response: Any) -> Iterable[bytes]:
        body = application(environ, start_response)
        if environ["REQUEST_METHOD"] != "HEAD":
            return body
        if hasattr(body, "close"):
            body.close()
        return []

    return answer


class Task(WSGITask):
    """One request; of a stream whose reader asked for its head, not even the mark of the last chunk is sent."""

    def finish(self) -> None:
        """Write the headers where nothing has been written, and what ends the body."""
        if self.request.command == "HEAD":
            self.write(b"")
            self.chunked_response = False
        super().finish()
