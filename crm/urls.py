"""Every address of the product; other apps are named by strings."""

from django.contrib import admin
from django.urls import include, path

from crm.views import customers, exports, health, home, imports, preferences, set_up_import, tokens

pages = [
    path("", home.home, name="home"),
    path("scope/", preferences.switch_region, name="switch-scope"),
    path("account/tokens/", tokens.list_tokens, name="list-tokens"),
    path("account/tokens/new/", tokens.create_token, name="create-token"),
    path("account/tokens/<int:number>/revoke/", tokens.revoke_own_token, name="revoke-own-token"),
    path("customers/", customers.list_customers, name="list-customers"),
    path("customers/<int:pk>/", customers.view_customer, name="view-customer"),
    path("imports/", imports.list_imports, name="list-imports"),
    path("imports/new/", imports.upload_import, name="upload-import"),
    path("imports/templates/<slug:kind>/", imports.download_template, name="download-template"),
    path("imports/<int:pk>/", imports.view_import, name="view-import"),
    path("imports/<int:pk>/set-up/", set_up_import.set_up_import, name="set-up-import"),
    path("imports/<int:pk>/progress/", imports.view_import_progress, name="view-import-progress"),
    path("imports/<int:pk>/start/", imports.start_import, name="start-import"),
    path("imports/<int:pk>/cancel/", imports.cancel_import, name="cancel-import"),
    path("imports/<int:pk>/undo/", imports.undo, name="undo-import"),
    path("imports/<int:pk>/rejected/", imports.download_rejected, name="download-rejected"),
    path("imports/<int:pk>/file/", imports.download_import_file, name="download-import-file"),
    path("exports/", exports.list_exports, name="list-exports"),
    path("exports/<int:pk>/progress/", exports.view_export_progress, name="view-export-progress"),
    path("exports/<int:pk>/cancel/", exports.cancel_export, name="cancel-export"),
    path("exports/<int:pk>/file/", exports.fetch_export, name="fetch-export"),
    path("exports/<slug:name>/", exports.export_list, name="export-list"),
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
