"""RFC 9457 problem objects: what every door of the API answers when something is wrong."""

from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

import orjson
from django.http import HttpRequest, HttpResponse

MEDIA_TYPE = "application/problem+json"
API_PREFIX = "/api/"


def problem(
    status: int, code: str, detail: str, errors: Sequence[dict[str, str]] = (), **extensions: Any
) -> dict[str, Any]:
    """A problem: `code` for programs, `detail` for people, `errors` for fields."""
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "detail": detail,
        "code": code,
        **extensions,
    }
    return body | {"errors": list(errors)} if errors else body


def is_api(request: HttpRequest) -> bool:
    """Whether a program asks, not a browser for a page."""
    return request.path_info.startswith(API_PREFIX)


def problem_page(status: int, code: str, detail: str) -> HttpResponse:
    """A problem where no API view is there to answer: an unknown address, an unexpected error."""
    return HttpResponse(orjson.dumps(problem(status, code, detail)), status=status, content_type=MEDIA_TYPE)
