"""One's own API tokens: what there is, a new one, an end to one."""

from allauth.account.decorators import reauthentication_required
from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_variables
from django.views.decorators.http import require_http_methods, require_safe

from crm.actions.tokens import TokenRefused, revoke_token
from crm.actions.tokens import create_token as create
from crm.list_pages import plain_list
from crm.models import ApiToken
from crm.permissions import signed_in
from crm.requests import PageRequest
from crm.token_forms import TokenForm
from crm.work_lists import TOKENS


@signed_in
@require_safe
def list_tokens(request: PageRequest) -> HttpResponse:
    """One's own tokens, the latest first."""
    return plain_list(request, TOKENS, "crm/tokens/list_tokens.html")


@signed_in
@require_http_methods(["GET", "POST"])
@never_cache
@reauthentication_required(app="crm")
@sensitive_variables("secret")
def create_token(request: PageRequest) -> HttpResponse:
    """Make a token; the answer is the only page that ever shows it."""
    form = TokenForm(request.POST or None, user=request.user)
    if form.is_valid():
        try:
            secret = create(by=request.user, **form.cleaned_data)
        except TokenRefused as refusal:
            form.add_error(refusal.field, str(refusal))
        else:
            shown = {"secret": secret, "name": form.cleaned_data["name"]}
            return render(request, "crm/tokens/token_created.html", shown)
    return render(request, "crm/tokens/create_token.html", {"form": form}, status=422 if form.errors else 200)


@signed_in
@require_http_methods(["GET", "POST"])
def revoke_own_token(request: PageRequest, number: int) -> HttpResponse:
    """Ask, then end one of one's own tokens."""
    token = get_object_or_404(ApiToken.objects.filter(user=request.user).numbered(number))
    if request.method == "POST":
        revoke_token(token=token, by=request.user)
        messages.success(request, _("The token “{name}” is revoked.").format(name=token))
        return redirect("crm:list-tokens")
    return render(request, "crm/tokens/revoke_token.html", {"token": token})
