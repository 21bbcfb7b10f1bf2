"""Idempotency-Key on POST: what was sent twice is done once, and answered the same both times.

The answer is kept in the transaction of what the request did: a crash leaves neither or both.
"""

from collections.abc import Callable
from functools import partial
from hashlib import sha256
from typing import Any, cast

import orjson
from django.db import transaction
from django.http import HttpResponseBase
from django.utils.translation import gettext as _
from rest_framework.exceptions import APIException, ErrorDetail, ParseError, ValidationError
from rest_framework.request import Request
from rest_framework.response import Response

from crm.actions.answers import AnswerUnderWay, keep_answer, kept_answer
from crm.api.problems import EXPECTED
from crm.models import IdempotentAnswer, User

HEADER = "Idempotency-Key"
LONGEST_KEY = 255
_KEPT_HEADERS = ("Location",)


class KeyOfAnother(APIException):
    """The key has been used for something else."""

    status_code = 422
    default_code = "idempotency_key_reused"


class UnderWay(APIException):
    """The first request with this key has not been answered yet."""

    status_code = 409
    default_code = "idempotency_key_in_use"
    wait = 1


class AnsweredOnce:
    """A resource whose POST may carry a key."""

    post: Callable[..., Any]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> HttpResponseBase:
        """Put the keeping of answers around the handler: it begins when everyone has been asked who may."""
        if request.method == "POST" and HEADER in request.headers and hasattr(self, "post"):
            self.post = partial(answer_once, self, self.post)
        return super().dispatch(request, *args, **kwargs)  # type: ignore[misc]


def answer_once(view: Any, handler: Callable[..., Response], request: Request, *args: Any, **kwargs: Any) -> Response:
    """The answer kept for the key, or the handler's, which is kept then unless the server failed."""
    key, asked, person = key_of(request), fingerprint(request), cast(User, request.user)
    with transaction.atomic():
        try:
            kept = kept_answer(by=person, key=key)
        except AnswerUnderWay as error:
            raise UnderWay(_("The same request is being answered just now. Ask again in a second.")) from error
        if kept is not None:
            return repeated(kept, asked)
        answer = _attempt(view, partial(handler, request, *args, **kwargs))
        if answer.status_code >= 500:
            transaction.set_rollback(True)
        else:
            _keep(answer, person, key, asked)
    return answer


def repeated(kept: IdempotentAnswer, asked: str) -> Response:
    """A kept answer again. Raises KeyOfAnother where something else was asked."""
    if kept.request != asked:
        raise KeyOfAnother(_("This key was used for another request. Take a new key for each thing to be done."))
    headers = {**kept.headers, "Idempotency-Replayed": "true"}
    content_type = headers.pop("Content-Type", None)
    return Response(orjson.loads(kept.body), status=kept.status, headers=headers, content_type=content_type)


def key_of(request: Request) -> str:
    """A hash of the key. Raises ValidationError for one that is none."""
    key = request.headers[HEADER].strip()
    if not (1 <= len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        sentence = _("Write 1 to {longest} printable ASCII characters, a UUID for example.")
        raise ValidationError({HEADER: [ErrorDetail(sentence.format(longest=LONGEST_KEY), "invalid")]})
    return sha256(key.encode()).hexdigest()


def fingerprint(request: Request) -> str:
    """A hash of what is asked: the address and the body, however it is spaced and sorted.

    Raises ParseError for a body that is nested deeper than any record.
    """
    try:
        body = orjson.dumps(request.data, option=orjson.OPT_SORT_KEYS)
    except orjson.JSONEncodeError as error:
        raise ParseError(_("The body is nested too deeply.")) from error
    return sha256(request.get_full_path().encode() + b"\n" + body).hexdigest()


def _attempt(view: Any, handler: Callable[[], Response]) -> Response:
    """The handler's answer; a refusal undoes what it had begun, and is an answer too."""
    try:
        with transaction.atomic():
            answer = handler()
            if answer.status_code >= 400:
                transaction.set_rollback(True)
            return answer
    except (*EXPECTED, *view.refusals) as error:
        return view.handle_exception(error)


def _keep(answer: Response, person: User, key: str, asked: str) -> None:
    headers = {name: answer[name] for name in _KEPT_HEADERS if name in answer}
    if answer.content_type:
        headers["Content-Type"] = answer.content_type
    body = orjson.dumps(answer.data, default=str, option=orjson.OPT_NON_STR_KEYS).decode()
    keep_answer(by=person, key=key, request=asked, status=answer.status_code, headers=headers, body=body)
