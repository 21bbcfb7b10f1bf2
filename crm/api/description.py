"""The description of the API, as OpenAPI and as pages; like every address of the API they refuse in JSON."""

from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_exempt
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.exceptions import MethodNotAllowed
from rest_framework.request import Request

from crm.api.renderers import Json
from crm.lib.problems import problem_page

LOOKING = ["get", "head"]


class RefusedInJson:
    """A view of other forms than JSON, whose refusals are JSON all the same."""

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        """Render a problem as one."""
        answer = super().finalize_response(request, response, *args, **kwargs)  # type: ignore[misc]
        if getattr(answer, "exception", False):
            answer.accepted_renderer, answer.accepted_media_type = Json(), Json.media_type
        return answer


class Schema(RefusedInJson, SpectacularAPIView):
    """The description as OpenAPI."""

    http_method_names = LOOKING


class Docs(RefusedInJson, SpectacularSwaggerSplitView):
    """The description as pages to read and try out."""

    http_method_names = LOOKING
    url_name = "api:schema"
    template_name = "crm/api_docs.html"


@method_decorator(csrf_exempt, name="dispatch")
class Root(RedirectView):
    """Leads to the pages; there is nothing to change, so that nobody is asked for a CSRF token."""

    pattern_name = "api:docs"
    http_method_names = LOOKING

    def http_method_not_allowed(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """405 as a problem."""
        refusal = MethodNotAllowed(str(request.method))
        answer = problem_page(refusal.status_code, refusal.default_code, str(refusal.detail))
        answer["Allow"] = ", ".join(LOOKING).upper()
        return answer
