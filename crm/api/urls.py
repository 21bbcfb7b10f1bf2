"""Addresses under /api/v1/: every app brings its own resources, named in settings.API_ROUTES."""

from typing import Any

from django.conf import settings
from django.urls import path
from django.utils.module_loading import import_string
from rest_framework.routers import SimpleRouter

from crm.api.description import Docs, Root, Schema
from crm.permissions import public

app_name = "api"

router = SimpleRouter()
for routes in settings.API_ROUTES:
    for prefix, viewset in import_string(routes):
        router.register(prefix, viewset, basename=prefix)

root: Any = Root.as_view()

urlpatterns = [
    path("", public(root), name="root"),
    path("schema/", public(Schema.as_view()), name="schema"),
    path("docs/", public(Docs.as_view()), name="docs"),
    *router.urls,
]
