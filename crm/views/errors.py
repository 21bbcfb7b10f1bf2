"""What people see instead of a page; the words stand in templates/4xx.html and 500.html. Programs get a problem."""

from django.core.exceptions import RequestDataTooBig
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.views import defaults

from crm.lib.problems import is_api, problem_page


def bad_request(request: HttpRequest, exception: Exception) -> HttpResponse:
    """400 within the frame; Django's own has no frame."""
    if is_api(request):
        return problem_page(400, "bad_request", _("The request cannot be read."))
    if isinstance(exception, RequestDataTooBig):
        return render(request, "400.html", {"is_too_large": True}, status=413)
    return render(request, "400.html", status=400)


def forbidden(request: HttpRequest, exception: Exception) -> HttpResponse:
    """403: signed in, but not allowed this."""
    if is_api(request):
        return problem_page(403, "permission_denied", _("This is not allowed."))
    return render(request, "403.html", status=403)


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """404: absent, or outside what the person may see; the page does not say which."""
    if is_api(request):
        return problem_page(404, "not_found", _("There is nothing at this address."))
    return render(request, "404.html", status=404)


def too_many_tries(request: HttpRequest) -> HttpResponse:
    """429 of the account pages: their limits are per minute."""
    response = render(request, "429.html", status=429)
    response["Retry-After"] = "60"
    return response


def server_error(request: HttpRequest) -> HttpResponse:
    """500: stands alone, needs no database."""
    if is_api(request):
        return problem_page(500, "server_error", _("Something went wrong here. It has been noted."))
    return defaults.server_error(request)


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """403 for a form that was drawn before the last sign-in or without cookies: says how to send it after all."""
    if is_api(request):
        return problem_page(403, "csrf_failed", _("This is not allowed."))
    return render(request, "403_csrf.html", status=403)
