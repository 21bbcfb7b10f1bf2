"""The server of one process: what it sends to HEAD, and that the connection is of use afterwards."""

import io
import socket
from threading import Thread

import pytest

from crm.lib.serving import server_of

BODY = b"a page of some bytes"


class Stream:
    """A body whose length nobody knows beforehand."""

    def __init__(self):
        self.parts, self.is_closed = iter([BODY[:7], BODY[7:]]), False

    def __iter__(self):
        return self.parts

    def close(self):
        self.is_closed = True


@pytest.fixture(scope="module")
def streams():
    return []


@pytest.fixture(scope="module")
def port(streams):
    """A server whose pages have a length, whose streams have none, and whose files are sent by the server itself."""

    def application(environ, start_response):
        kind = environ["PATH_INFO"]
        start_response("200 OK", [("Content-Length", str(len(BODY)))] if kind != "/stream" else [])
        if kind == "/file":
            return environ["wsgi.file_wrapper"](io.BytesIO(BODY))
        if kind == "/stream":
            streams.append(Stream())
            return streams[-1]
        return [BODY]

    server = server_of(application, host="127.0.0.1", port=0)
    thread = Thread(target=server.run)
    thread.start()
    yield server.effective_port
    server.pull_trigger()
    server.asyncore.close_all(server._map)
    server.task_dispatcher.shutdown()
    thread.join(10)


def sent(port, *requests):
    """All that the server sends, until it closes the connection."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as line:
        line.sendall(b"".join(request.encode() + b"\r\nHost: x\r\n\r\n" for request in requests))
        return b"".join(iter(lambda: line.recv(65536), b""))


LAST = "GET / HTTP/1.1\r\nConnection: close"


@pytest.mark.parametrize("path", ["/", "/file"])
def test_the_head_says_the_length_and_the_next_answer_follows_it(port, path):
    head, next_answer = sent(port, f"HEAD {path} HTTP/1.1", LAST).split(b"\r\n\r\n", 1)
    assert b"Content-Length: 20" in head
    assert next_answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert next_answer.endswith(b"\r\n\r\n" + BODY)


def test_the_head_of_a_stream_is_all_that_is_sent_and_the_stream_is_closed(port, streams):
    head, after_it = sent(port, "HEAD /stream HTTP/1.1").split(b"\r\n\r\n", 1)
    assert (b"Content-Length" in head, after_it) == (False, b"")
    assert [stream.is_closed for stream in streams] == [True]


@pytest.mark.parametrize("path", ["/", "/file", "/stream"])
def test_who_gets_it_gets_it_whole(port, path):
    parts = sent(port, f"GET {path} HTTP/1.1\r\nConnection: close").split(b"\r\n\r\n", 1)
    assert parts[1] in (BODY, b"7\r\na page \r\nD\r\nof some bytes\r\n0\r\n\r\n")
