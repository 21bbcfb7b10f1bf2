"""The administration site: open to those whose role says so, and closed to whatever is not scoped."""

from typing import Any

from django.conf import settings
from django.contrib.admin import AdminSite
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect

from crm.administration.scoped import ScopedAdmin, person_of
from crm.permissions import Permission, can

_NOT_OURS = frozenset({"view_on_site"})  # it tells what exists, in scope or not


class AdministrationSite(AdminSite):
    """Entered with USE_ADMIN; Django's own flags (staff, superuser, model permissions) open nothing."""

    enable_nav_sidebar = True

    def has_permission(self, request: HttpRequest) -> bool:
        """Whether the person may enter at all; what is shown inside, each record's admin decides."""
        return can(person_of(request), Permission.USE_ADMIN)

    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        """Show records; those that other packages register ask Django's permissions, not ours, and stay out."""
        if admin_class is not None and issubclass(admin_class, ScopedAdmin):
            super().register(model_or_iterable, admin_class, **options)

    def get_urls(self) -> list:
        """The addresses of the site, without those that look past one's scope."""
        return [url for url in super().get_urls() if getattr(url, "name", None) not in _NOT_OURS]

    def login(self, request: HttpRequest, extra_context: Any = None) -> HttpResponse:
        """Sign in where everybody does; who is signed in and still not let in is refused."""
        if request.user.is_authenticated and not self.has_permission(request):
            raise PermissionDenied
        if request.user.is_authenticated:
            return redirect("admin:index")
        return redirect_to_login(request.GET.get("next", request.path), settings.LOGIN_URL)

    def logout(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Sign out where everybody does."""
        return redirect("account_logout")

    def password_change(self, request: HttpRequest, extra_context: Any = None) -> Any:
        """Change the password where everybody does."""
        return redirect("account_change_password")
