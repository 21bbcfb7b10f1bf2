"""Regions and branch offices: what there is, new ones, changes, and moves from a day on."""

from typing import Any

from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils import timezone
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from crm.actions import places as actions
from crm.actions.changes import EditedMeanwhile
from crm.actions.named import StillInUse, save_named
from crm.list_pages import plain_list
from crm.models import Branch, BranchRegion, Region
from crm.permissions import Permission, requires
from crm.place_forms import BranchForm, MoveForm, RegionForm, VersionedPlaceForm
from crm.place_lists import REGIONS
from crm.requests import PageRequest


@requires(Permission.EDIT_REFERENCE)
@require_safe
def list_regions(request: PageRequest) -> HttpResponse:
    """The regions with their branch offices, how many work there, and the moves to come."""
    today = timezone.localdate()
    seen = BranchRegion.objects.visible_to(request.user)
    moves = (seen.to_come(today) | seen.filter(pk__in=seen.due(today).values("pk"))).order_by("from_on")
    more = {"moves": moves.select_related("branch", "region"), "today": today}
    return plain_list(request, REGIONS, "crm/places/list_regions.html", more=more)


@requires(Permission.EDIT_REFERENCE)
@require_http_methods(["GET", "POST"])
def create_region(request: PageRequest) -> HttpResponse:
    """Add a region."""
    form = RegionForm(request.POST or None)
    return _save(request, form, _("Create region"))


@requires(Permission.EDIT_REFERENCE)
@require_http_methods(["GET", "POST"])
def edit_region(request: PageRequest, pk: int) -> HttpResponse:
    """Rename a region, or switch it off."""
    region = get_object_or_404(Region.objects.visible_to(request.user), pk=pk)
    return _save(request, RegionForm(request.POST or None, instance=region), str(region))


@requires(Permission.EDIT_REFERENCE)
@require_http_methods(["GET", "POST"])
def create_branch(request: PageRequest) -> HttpResponse:
    """Add a branch office to a region."""
    form = BranchForm(request.POST or None, by=request.user, initial={"region": request.GET.get("region")})
    return _save(request, form, _("Create branch office"))


@requires(Permission.EDIT_REFERENCE)
@require_http_methods(["GET", "POST"])
def edit_branch(request: PageRequest, pk: int) -> HttpResponse:
    """Rename a branch office, or switch it off."""
    branch = get_object_or_404(Branch.objects.visible_to(request.user), pk=pk)
    return _save(request, BranchForm(request.POST or None, instance=branch, by=request.user), str(branch))


@requires(Permission.EDIT_REFERENCE)
@require_http_methods(["GET", "POST"])
def move_branch(request: PageRequest, pk: int) -> HttpResponse:
    """Have a branch office belong to another region from a day on."""
    branch = get_object_or_404(Branch.objects.visible_to(request.user).select_related("region"), pk=pk)
    form = MoveForm(request.POST or None, branch=branch, by=request.user)
    if form.is_valid():
        try:
            has_moved = actions.move_branch(branch=branch, by=request.user, **form.cleaned_data)
        except actions.MoveRefused as refusal:
            form.add_error(refusal.field if refusal.field in form.fields else None, str(refusal))
        else:
            messages.success(request, _said(branch, form.cleaned_data, has_moved=has_moved))
            return redirect("crm:list-regions")
    context = {"form": form, "branch": branch}
    return render(request, "crm/places/move_branch.html", context, status=422 if form.errors else 200)


@requires(Permission.EDIT_REFERENCE)
@require_http_methods(["GET", "POST"])
def call_off_move(request: PageRequest, pk: int) -> HttpResponse:
    """Ask, then take back a move that has not begun."""
    seen = BranchRegion.objects.visible_to(request.user).to_come(timezone.localdate())
    move = get_object_or_404(seen.select_related("branch", "region"), pk=pk)
    if request.method == "POST":
        actions.call_off_move(move=move, by=request.user)
        messages.success(request, _("{name} stays where it is.").format(name=move.branch))
        return redirect("crm:list-regions")
    return render(request, "crm/places/call_off_move.html", {"move": move})


def _save(request: PageRequest, form: VersionedPlaceForm, title: str) -> HttpResponse:
    if form.is_valid():
        try:
            save_named(row=form.instance, version=form.cleaned_data["read_version"], by=request.user)
        except EditedMeanwhile:
            form.add_error(None, _("Someone else changed this meanwhile; nothing was saved. Open the page again."))
        except StillInUse as refusal:
            form.add_error("is_active", str(refusal))
        else:
            messages.success(request, _("{name} is saved.").format(name=form.instance))
            return redirect("crm:list-regions")
    context = {"form": form, "title": title, "is_new": form.instance.pk is None}
    return render(request, "crm/places/edit_place.html", context, status=422 if form.errors else 200)


def _said(branch: Branch, values: dict[str, Any], *, has_moved: bool) -> str:
    if has_moved:
        return _("{name} belongs to {region} now.").format(name=branch, region=values["region"])
    day = values["from_on"].isoformat()
    return _("{name} belongs to {region} from {day} on.").format(name=branch, region=values["region"], day=day)
