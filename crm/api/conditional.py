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

_TAG = re.compile(r'(?:W/)?"(?:(\d{1,9})-)?[^"]*"')


class Conditional:
    """Answers to GET carry an ETag; a reader who names it gets 304 and no body. Streams have none."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Tag the answer once it is rendered."""
        answer = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        if isinstance(answer, Response) and answer.status_code in (200, 201):
            answer.add_post_render_callback(partial(_tag, getattr(request, "_request", request)))
        return answer


def data_with_version(request: Request, record: Any) -> Any:
    """The body of a change; with If-Match it needs no `version`. Raises EditedMeanwhile where no tag is of this one."""
    wanted = request.headers.get("If-Match")
    if wanted is None or not isinstance(request.data, dict):
        return request.data
    read = {int(match[1]) for match in _TAG.finditer(wanted) if match[1]}
    if wanted.strip() != "*" and record.version not in read:
        raise EditedMeanwhile(record)
    return {"version": record.version, **request.data}


def _tag(request: HttpRequest, answer: Response) -> Any:
    answer["ETag"] = tag = etag(answer)
    if request.method not in ("GET", "HEAD"):
        return None
    patch_cache_control(answer, private=True, no_cache=True)
    patch_vary_headers(answer, ["Authorization", "Cookie", "Accept-Language"])
    return get_conditional_response(request, etag=tag, response=answer)


def etag(answer: Response) -> str:
    """The version, where the record has one, and a hash of all that is shown; without a version a weak one."""
    digest = blake2b(answer.content, digest_size=12).hexdigest()
    version = answer.data.get("version") if isinstance(answer.data, dict) else None
    return f'W/"{digest}"' if version is None else f'"{version}-{digest}"'
