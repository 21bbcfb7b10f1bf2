"""Addresses under /api/v1/: every app brings its own resources, named in settings.API_ROUTES."""

from typing import Any

from django.conf import settings
from django.urls import path
from django.utils.module_loading import import_string
from django.views.generic import RedirectView
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.routers import SimpleRouter

from crm.permissions import public

app_name = "api"

router = SimpleRouter()
for routes in settings.API_ROUTES:
    for prefix, viewset in import_string(routes):
        router.register(prefix, viewset, basename=prefix)

root: Any = RedirectView.as_view(pattern_name="api:docs")
docs: Any = SpectacularSwaggerSplitView.as_view(url_name="api:schema", template_name="crm/api_docs.html")

urlpatterns = [
    path("", public(root), name="root"),
    path("schema/", public(SpectacularAPIView.as_view()), name="schema"),
    path("docs/", public(docs), name="docs"),
    *router.urls,
]
