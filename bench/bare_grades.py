"""The bare endpoint that bench.grade_list holds ours against: values() and orjson by keyset, no token, no scope.

Served by the same gunicorn, beside the product's own addresses: `gunicorn bench.bare_grades:application`.
"""

import orjson
from django.conf import settings
from django.core.wsgi import get_wsgi_application
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.urls import include, path

application = get_wsgi_application()
settings.ROOT_URLCONF = __name__

from grading.api.templates import COLUMNS  # noqa: E402 — models need the application
from grading.models import Grade  # noqa: E402

BY = "line__customer__pinyin"


def bare(request: HttpRequest) -> HttpResponse:
    """A page of the columns that a grade's object is made of, by name and id."""
    found = Grade.objects.filter(fiscal_year=2026, record__isnull=False)
    if "name" in request.GET:
        name, pk = request.GET["name"], int(request.GET["pk"])
        found = found.filter(Q(**{f"{BY}__gt": name}) | Q(pk__gt=pk), **{f"{BY}__gte": name})
    rows = list(found.order_by(BY, "pk").values(*COLUMNS, BY)[: int(request.GET["page_size"])])
    last = f"/bare/?page_size={request.GET['page_size']}&name={rows[-1][BY]}&pk={rows[-1]['pk']}" if rows else None
    return HttpResponse(orjson.dumps({"next": last, "results": rows}), content_type="application/json")


urlpatterns = [path("bare/", bare), path("", include("crm.urls"))]
