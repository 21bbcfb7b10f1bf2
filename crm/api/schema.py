"""The OpenAPI description: every operation names the problems that it answers with."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from crm.api.headers import BY_METHOD
from crm.api.renderers import Csv, Ndjson, Xlsx
from crm.lib.problems import MEDIA_TYPE

MEANING = {
    400: "What was sent is not right; `errors` names each field or parameter.",
    401: "No token or session, or one that is not valid.",
    403: "The role or the token's scope does not allow it.",
    404: "There is no such record for you.",
    406: "The list does not come in this form.",
    409: "The state of things does not allow it.",
    410: "The sync token cannot be gone on from: read the list from the start.",
    412: "Someone else changed the record after you read it.",
    415: "Send application/json.",
    422: "The Idempotency-Key was used for another request.",
    429: "Too many requests: wait as long as Retry-After says.",
}

STREAMED = {
    Ndjson.media_type: {"schema": {"type": "string", "description": "The whole list: an object of `results` a line."}},
    Csv.media_type: {"schema": {"type": "string", "description": "The whole list; a column for each value's path."}},
    Xlsx.media_type: {"schema": {"type": "string", "format": "binary", "description": "The same as csv, in a sheet."}},
}


class FieldErrorSerializer(serializers.Serializer):
    """What is wrong with one field or parameter."""

    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()


class ProblemSerializer(serializers.Serializer):
    """A problem of RFC 9457."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField(help_text="A stable word for programs.")
    errors = FieldErrorSerializer(many=True, required=False)  # type: ignore[assignment]


class DocumentedSchema(AutoSchema):
    """Adds the problems to the answers of every operation."""

    def get_override_parameters(self) -> list[Any]:
        """The headers that every operation takes and answers with."""
        return [*super().get_override_parameters(), *BY_METHOD.get(self.method, ())]

    def _get_response_bodies(self, direction="response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        if self.is_list():
            bodies["200"]["content"] |= STREAMED
        for status in self.problem_statuses():
            response = OpenApiResponse(ProblemSerializer, description=MEANING[status])
            bodies[str(status)] = self._get_response_for_code(response, str(status), [MEDIA_TYPE], direction)
        if self.method == "GET":
            response = OpenApiResponse(None, description="What you have, by If-None-Match, is still so.")
            bodies["304"] = self._get_response_for_code(response, "304", direction=direction)
        return bodies

    def problem_statuses(self) -> list[int]:
        """What can go wrong with the operation."""
        statuses = {400, 401, 403, 429} | set(getattr(self.view, "refusals", {}).values() if self.is_write() else ())
        if "{" in self.path:
            statuses.add(404)
        if self.is_list():
            statuses.add(406)
        if "changed_since" in getattr(self.view, "list_parameters", ()) and self.is_list():
            statuses.add(410)
        if self.method == "POST":
            statuses |= {409, 422}
        if self.method == "PATCH":
            statuses |= {409, 412}
        if self.is_write():
            statuses.add(415)
        return sorted(statuses)

    def is_list(self) -> bool:
        """Whether the operation reads a list, which can be streamed."""
        return getattr(self.view, "action", None) == "list"

    def is_write(self) -> bool:
        """Whether the operation sends a body."""
        return self.method in ("POST", "PATCH")


class BearerScheme(OpenApiAuthenticationExtension):
    """The API token in OpenAPI."""

    target_class = "crm.api.authentication.BearerToken"
    name = "token"

    def get_security_definition(self, auto_schema) -> dict[str, Any]:
        """A bearer token."""
        return build_bearer_security_scheme_object("Authorization", "Bearer")


class SessionScheme(OpenApiAuthenticationExtension):
    """The browser's session in OpenAPI."""

    target_class = "crm.api.authentication.BrowserSession"
    name = "session"

    def get_security_definition(self, auto_schema) -> dict[str, Any]:
        """A session cookie."""
        return {"type": "apiKey", "in": "cookie", "name": "sessionid"}
