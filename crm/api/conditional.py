"""Not sending what the reader has (ETag, If-None-Match), not overwriting what he has not seen (If-Match)."""

import re
from functools import partial
from hashlib import blake2b
from typing import Any

from django.http import HttpRequest
from django.utils.cache import get_conditional_response, patch_cache_control, patch_vary_headers
from rest_framework.request import Request
from rest_framework.response import Response

from crm.actions.changes import EditedMeanwhile
from crm.api.throttling import SAID_IN

_TAG = re.compile(r'(?:W/)?"([^"]*)"')


class Conditional:
    """Answers to GET carry an ETag; a reader who names it gets 304 and no body. Streams have none."""

    basename: str

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tag the answer once it is rendered."""
        answer = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        if isinstance(answer, Response) and answer.status_code in (200, 201):
            answer.add_post_render_callback(partial(_tag, getattr(request, "_request", request), self.basename))
        return answer


def data_with_version(request: Request, kind: str, record: Any) -> Any:
    """The body of a change; with If-Match it needs no `version`. Raises EditedMeanwhile where no tag is of this one."""
    wanted = request.headers.get("If-Match")
    if wanted is None or not isinstance(request.data, dict):
        return request.data
    read = {tag.rpartition("-")[0] for tag in _TAG.findall(wanted)}
    if wanted.strip() != "*" and read_of(kind, record.pk, record.version) not in read:
        raise EditedMeanwhile(record)
    return {"version": record.version, **request.data}


def _tag(request: HttpRequest, kind: str, answer: Response) -> Any:
    answer["ETag"] = tag = etag(kind, answer)
    if request.method not in ("GET", "HEAD"):
        return None
    patch_cache_control(answer, private=True, no_cache=True)
    patch_vary_headers(answer, ["Authorization", "Cookie", "Accept-Language"])
    given: Any = get_conditional_response(request, etag=tag, response=answer)
    for name in SAID_IN:  # Django's 304 leaves them out
        if name in answer:
            given[name] = answer[name]
    return given


def etag(kind: str, answer: Response) -> str:
    """Which record in which version, where it has one, and a hash of all that is shown; without one a weak tag."""
    digest = blake2b(answer.content, digest_size=12).hexdigest()
    shown = answer.data if isinstance(answer.data, dict) else {}
    if shown.get("version") is None:
        return f'W/"{digest}"'
    return f'"{read_of(kind, shown["id"], shown["version"])}-{digest}"'


def read_of(kind: str, pk: int, version: int) -> str:
    """What a tag says was read: no other record, and no other version of it, has the same."""
    return f"{kind}-{pk}-{version}"
