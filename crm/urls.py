"""Every address of the product; other apps are named by strings."""

from django.contrib import admin
from django.urls import include, path

from crm.views import customers, health, home, preferences

pages = [
    path("", home.home, name="home"),
    path("scope/", preferences.switch_region, name="switch-scope"),
    path("customers/", customers.list_customers, name="list-customers"),
    path("customers/<int:pk>/", customers.view_customer, name="view-customer"),
]

urlpatterns = [
    path("", include((pages, "crm"))),
    path("api/v1/", include("crm.api.urls")),
    path("grading/", include("grading.urls")),
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("language/", preferences.set_language, name="set_language"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
]

handler400 = "crm.views.errors.bad_request"
handler403 = "crm.views.errors.forbidden"
handler404 = "crm.views.errors.not_found"
handler500 = "crm.views.errors.server_error"
