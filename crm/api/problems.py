"""Every refusal of the API as a problem of RFC 9457."""

from collections.abc import Iterator
from http import HTTPStatus
from typing import Any

from django.core.exceptions import NON_FIELD_ERRORS, PermissionDenied
from django.core.exceptions import ValidationError as ModelValidationError
from django.db import IntegrityError
from django.http import Http404
from django.utils.translation import gettext as _
from rest_framework import exceptions
from rest_framework.response import Response

from crm.actions.changes import EditedMeanwhile
from crm.lib.problems import MEDIA_TYPE, problem

# What becomes a problem and not a 500; a resource adds its own refusals.
EXPECTED = (
    exceptions.APIException,
    Http404,
    PermissionDenied,
    ModelValidationError,
    EditedMeanwhile,
    IntegrityError,
)


class BadCursor(exceptions.APIException):
    """A cursor that was not made for this list."""

    status_code = 400
    default_code = "invalid_cursor"


def problem_response(error: Exception, context: dict[str, Any]) -> Response | None:
    """The problem that answers an exception; None for one that nobody expected, which becomes a 500."""
    refusals = getattr(context.get("view"), "refusals", {})
    if type(error) in refusals:
        return _respond(problem(refusals[type(error)], _slug(type(error)), str(error)))
    if isinstance(error, EditedMeanwhile):
        detail = _("Someone else changed the record after you read it. Read it again and repeat your change.")
        return _respond(problem(412, "edited_meanwhile", detail, version=getattr(error.record, "version", None)))
    if isinstance(error, IntegrityError):
        return _respond(problem(409, "conflict", _("Someone else saved a record that excludes this one.")))
    known = _as_api_exception(error)
    return None if known is None else _of_api_exception(known)


def unknown_parameter(name: str) -> exceptions.ValidationError:
    """A query parameter that the address does not know."""
    sentence = _("There is no parameter “{name}” here.").format(name=name)
    return exceptions.ValidationError({name: [exceptions.ErrorDetail(sentence, "unknown_parameter")]})


def _as_api_exception(error: Exception) -> exceptions.APIException | None:
    if isinstance(error, Http404):
        return exceptions.NotFound()
    if isinstance(error, PermissionDenied):
        return exceptions.PermissionDenied()
    if isinstance(error, ModelValidationError):
        return exceptions.ValidationError(_details_of_model(error))
    return error if isinstance(error, exceptions.APIException) else None


def _of_api_exception(error: exceptions.APIException) -> Response:
    if isinstance(error, exceptions.ValidationError):
        errors = list(_fields(error.detail))
        names = ", ".join(dict.fromkeys(item["field"] for item in errors if item["field"]))
        sentence = _("These are not right: {names}.").format(names=names) if names else _("The request is not right.")
        response = _respond(problem(400, "invalid", sentence, errors))
    else:
        code = str(getattr(error.detail, "code", error.default_code))
        response = _respond(problem(error.status_code, code, str(error.detail)))
    for header, attribute in (("WWW-Authenticate", "auth_header"), ("Retry-After", "wait")):
        if getattr(error, attribute, None):
            response[header] = str(getattr(error, attribute))
    return response


def _fields(detail: Any, path: str = "") -> Iterator[dict[str, str]]:
    if isinstance(detail, dict):
        for name, value in detail.items():
            yield from _fields(value, path if name == "non_field_errors" else f"{path}.{name}".strip("."))
    elif isinstance(detail, list):
        for index, value in enumerate(detail):
            yield from _fields(value, path if isinstance(value, str) else f"{path}.{index}".strip("."))
    else:
        yield {"field": path, "code": str(getattr(detail, "code", "invalid")), "message": str(detail)}


def _details_of_model(error: ModelValidationError) -> dict[str, list[exceptions.ErrorDetail]]:
    by_field = error.error_dict if hasattr(error, "error_dict") else {NON_FIELD_ERRORS: error.error_list}
    return {
        "non_field_errors" if name == NON_FIELD_ERRORS else name: [
            exceptions.ErrorDetail(message, item.code or "invalid") for item in items for message in item.messages
        ]
        for name, items in by_field.items()
    }


def _slug(kind: type[Exception]) -> str:
    return "".join(f"_{sign.lower()}" if sign.isupper() else sign for sign in kind.__name__).strip("_")


def _respond(body: dict[str, Any]) -> Response:
    return Response(body, status=HTTPStatus(body["status"]), content_type=MEDIA_TYPE)
