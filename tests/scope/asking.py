"""Asking as a person asks, with nothing that stays; and what of an answer is the same for all."""

import json
import re
from collections.abc import Iterable
from typing import Any

from django.core.cache import cache
from django.db import transaction
from django.test import Client
from django.urls import reverse

from crm.models import User
from tests.conftest import confirm_identity
from tests.scope.routes import API, Route

_CHANCE = (  # what a server draws anew for each answer
    (re.compile(rb'(name="csrfmiddlewaretoken" value=")[^"]*'), rb"\1#"),
    (re.compile(rb'(name="read_state" value=")[^"]*'), rb"\1#"),  # says, as an ETag, only that something changed
    (re.compile(rb'(data-csrf=")[^"]*'), rb"\1#"),
    (re.compile(rb'(nonce=")[^"]*'), rb"\1#"),
    (re.compile(rb"(\?batch=)[0-9a-f-]{36}"), rb"\1#"),
)
_OWN_HEADERS = frozenset({"set-cookie", "ratelimit", "content-length", "etag"})


def browser_of(person: User | None, language: str = "en") -> Client:
    """A session of a person, which fails on nothing by itself."""
    client = Client(headers={"accept-language": language}, raise_request_exception=True)
    if person is not None:
        client.force_login(person)
        confirm_identity(client, person)
    return client


def path_of(route: Route, named: Any = None) -> str:
    """The address of a route that names a record."""
    args = route.args | ({route.key: named} if route.record else {})
    if "/" not in route.name:
        return reverse(route.name, kwargs=args)
    filled = re.sub(r"<\w+:(\w+)>|\(\?P<(\w+)>[^)]*\)\$?", lambda found: str(args[found[1] or found[2]]), route.name)
    return f"/{filled}"


def ask(client: Client, verb: str, path: str, data: Any = None, *, is_json: bool = False, **headers: str) -> Any:
    """One answer, read to its end; whatever the request wrote is taken back."""
    cache.clear()
    cookies = client.cookies.copy()
    with transaction.atomic():
        body = {"data": json.dumps(data or {}), "content_type": "application/json"} if is_json else {"data": data or {}}
        method = getattr(client, verb.lower())
        answer = method(path, data, headers=headers) if verb == "GET" else method(path, **body, headers=headers)
        answer.read = b"".join(answer.streaming_content) if answer.streaming else answer.content
        transaction.set_rollback(True)
    client.cookies = cookies
    return answer


def asked_as(route: Route, client: Client, verb: str, named: Any = None) -> Any:
    """An answer of a route to an empty body."""
    data = (
        {"x": ""} if route.group != API and verb == "POST" else None
    )  # a form that says nothing is a form all the same
    return ask(client, verb, path_of(route, named), data, is_json=route.group == API)


def bare(answer: Any, *own: str) -> tuple[int, tuple, bytes]:
    """Status, headers and body without what chance and the asker himself put into them."""
    body = answer.read
    for pattern, instead in _CHANCE:
        body = pattern.sub(instead, body)
    headers = sorted((name, value) for name, value in answer.items() if name.lower() not in _OWN_HEADERS)
    return (
        answer.status_code,
        tuple((name, _without(value.encode(), own)) for name, value in headers),
        _without(body, own),
    )


def _without(text: bytes, own: Iterable[str]) -> bytes:
    for word in own:
        text = text.replace(word.encode(), b"#")
    return text
