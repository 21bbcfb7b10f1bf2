"""The OpenAPI description: every operation names the problems that it answers with."""

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from drf_spectacular.openapi import AutoSchema
from drf_spectacular.plumbing import build_bearer_security_scheme_object
from drf_spectacular.utils import OpenApiResponse
from rest_framework import serializers

from crm.lib.problems import MEDIA_TYPE

MEANING = {
    400: "What was sent is not right; `errors` names each field or parameter.",
    401: "No token or session, or one that is not valid.",
    403: "The role or the token's scope does not allow it.",
    404: "There is no such record for you.",
    409: "The state of things does not allow it.",
    412: "Someone else changed the record after you read it.",
    415: "Send application/json.",
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

    def _get_response_bodies(self, direction="response") -> dict[str, Any]:
        bodies = super()._get_response_bodies(direction)
        for status in self.problem_statuses():
            response = OpenApiResponse(ProblemSerializer, description=MEANING[status])
            bodies[str(status)] = self._get_response_for_code(response, str(status), [MEDIA_TYPE], direction)
        return bodies

    def problem_statuses(self) -> list[int]:
        """What can go wrong with the operation."""
        statuses = {400, 401, 403} | set(getattr(self.view, "refusals", {}).values() if self.is_write() else ())
        if "{" in self.path:
            statuses.add(404)
        if self.method == "PATCH":
            statuses |= {409, 412}
        if self.is_write():
            statuses.add(415)
        return sorted(statuses)

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
