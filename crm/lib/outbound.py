"""Asking another server for JSON: encrypted where it is far, in a few seconds, a small answer, or an error by name."""

import json
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import urlencode
from urllib.request import HTTPRedirectHandler, Request, build_opener

SECONDS = 8
LARGEST = 1_000_000  # bytes


class AskingFailed(Exception):
    """The other server does not answer, refuses, or answers something else; the text is for logs, not for people."""


class _NoRedirects(HTTPRedirectHandler):
    """An answer is taken from where it was asked for: secrets do not follow to another place."""

    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        """Follow none."""


_OPENER = build_opener(_NoRedirects)


def ask(
    url: str,
    *,
    query: dict[str, str] | None = None,
    form: dict[str, str] | None = None,
    body: dict[str, Any] | None = None,
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    """GET an address, or POST a form or a JSON body to it; the JSON object that comes back."""
    if not url.startswith(("https://", "http://")):
        raise AskingFailed(f"{url} is no address of a server")
    address = f"{url}?{urlencode(query)}" if query else url
    data = urlencode(form).encode() if form is not None else json.dumps(body).encode() if body is not None else None
    kind = {"Content-Type": "application/json"} if body is not None else {}
    request = Request(address, data=data, headers={"Accept": "application/json"} | kind | (headers or {}))
    try:
        with _OPENER.open(request, timeout=SECONDS) as answer:
            said = json.loads(answer.read(LARGEST))
    except HTTPError as error:
        with error:
            raise AskingFailed(f"{url} answers {error.code}") from error
    except (URLError, OSError, ValueError) as error:
        raise AskingFailed(f"{url}: {type(error).__name__}") from error
    if not isinstance(said, dict):
        raise AskingFailed(f"{url} does not answer with an object")
    return said
