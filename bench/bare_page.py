"""The bare page that bench.pages holds ours against: one query of 50 customers, one table, nothing else."""

from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.urls import include, path

from crm.models import Customer

COLUMNS = (
    "pk",
    "name",
    "code",
    "kind",
    "credit_code",
    "industry",
    "region__name",
    "branch__name",
    "division__name",
    "created_at",
)
TABLE = Engine().from_string(
    """<!doctype html><html><head><title>Customers</title></head><body><table><tr>{% for column in columns %}
    <th>{{ column }}</th>{% endfor %}</tr>{% for row in rows %}<tr>{% for value in row %}<td>{{ value }}</td>
    {% endfor %}</tr>{% endfor %}</table></body></html>"""
)


def bare(request: HttpRequest) -> HttpResponse:
    """Fifty customers as they come."""
    rows = Customer.objects.visible_to(request.user).order_by("pinyin", "pk").values_list(*COLUMNS)[:50]
    return HttpResponse(TABLE.render(Context({"columns": COLUMNS, "rows": rows})))


urlpatterns = [path("bare/", bare), path("", include("crm.urls"))]
