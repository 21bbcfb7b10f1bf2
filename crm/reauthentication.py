"""Whoever sets somebody's password shows first that it is he who sits there."""

from allauth.account.internal.flows.reauthentication import is_reauthentication_required
from django.contrib import messages
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import reverse
from django.utils.http import urlencode
from django.utils.translation import gettext as _


def confirm_before_password(request: HttpRequest) -> HttpResponse | None:
    """Where a form that sets a password goes first; nothing where it sets none, or he has shown it a moment ago.

    What was typed does not wait meanwhile in his session.
    """
    if not request.POST.get("new_password") or not is_reauthentication_required(request, app="crm"):
        return None
    messages.warning(request, _("Confirm that it is you, then set the password."))
    return redirect(f"{reverse('account_reauthenticate')}?{urlencode({'next': request.path})}")
