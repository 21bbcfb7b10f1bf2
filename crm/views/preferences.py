"""What a person sets in the header: the region and the language."""

from django.conf import settings
from django.http import Http404, HttpResponse, HttpResponseRedirect, QueryDict
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.http import require_POST
from django.views.i18n import set_language as django_set_language

from crm.permissions import public, signed_in
from crm.requests import PageRequest
from crm.scope import scope_of, switch_scope


@signed_in
@require_POST
def switch_region(request: PageRequest) -> HttpResponse:
    """Keep the chosen region for this and the next pages; empty is all of them."""
    offered = {str(region.pk): region for region in scope_of(request).regions}
    chosen = request.POST.get("region", "")
    if chosen and chosen not in offered:
        raise Http404
    switch_scope(request, offered.get(chosen))
    return HttpResponseRedirect(_next_page(request))


@public
@require_POST
def set_language(request: PageRequest) -> HttpResponse:
    """Change the language of the pages: a cookie for the browser, and the person's own choice where signed in."""
    language = request.POST.get("language", "")
    if request.user.is_authenticated and language in dict(settings.LANGUAGES):
        request.user.language = language
        request.user.save(update_fields=["language"])
    return django_set_language(request)


def _next_page(request: PageRequest) -> str:
    """The page one came from, without its own region and page: the switch decides them now."""
    address = request.POST.get("next", "")
    if not url_has_allowed_host_and_scheme(address, allowed_hosts={request.get_host()}):
        return "/"
    path, _, query = address.partition("?")
    params = QueryDict(query, mutable=True)
    for name in ("region", "page"):
        params.pop(name, None)
    return f"{path}?{params.urlencode()}" if params else path
