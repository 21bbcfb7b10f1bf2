"""The bare page that bench.pages holds ours against: the same fifty customers and columns in one plain template.

No frame, no links, no filters, no badges, no count: a table as one would write it first.
"""

from django.http import HttpRequest, HttpResponse
from django.template import Context, Engine
from django.urls import include, path

from crm.models import Customer

TABLE = Engine().from_string(
    """<!doctype html><html><head><title>Customers</title></head><body><table>
    <tr><th>Customer</th><th>Code</th><th>Region</th><th>Branch office</th><th>Grade per product line</th></tr>
    {% for row in rows %}<tr>
    <td>{{ row.name }}</td><td>{{ row.code }}</td><td>{{ row.region }}</td><td>{{ row.branch }}</td>
    <td>{% for line in row.active_lines %}{{ line.product_line }} {{ line.grade }} {% endfor %}</td>
    </tr>{% endfor %}</table></body></html>"""
)


def bare(request: HttpRequest) -> HttpResponse:
    """Fifty customers as they come."""
    rows = Customer.objects.visible_to(request.user).for_list().order_by("pinyin", "pk")[:50]
    return HttpResponse(TABLE.render(Context({"rows": rows})))


urlpatterns = [path("bare/", bare), path("", include("crm.urls"))]
