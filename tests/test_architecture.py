"""What the house promises (ARCHITECTURE) and no single page can hold: direction, access, writers, budgets."""

import ast
import re
import statistics
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from types import SimpleNamespace

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib import admin
from django.db.models import ForeignKey, Model
from django.urls import URLPattern, URLResolver, get_resolver
from django.utils.module_loading import import_string

from crm.administration.scoped import ScopedAdmin
from crm.permissions import Permission

ROOT = Path(__file__).resolve().parent.parent
# from the ground up: an app's foreign keys and imports point to itself or to what stands before it
APPS = [name for name in ("crm", "opportunities", "visits", "grading", "showcase") if (ROOT / name).is_dir()]
WRITERS = {
    "create", "get_or_create", "update_or_create", "bulk_create", "update", "bulk_update", "delete", "save",
    "acreate", "aupdate", "adelete", "abulk_create",
}  # fmt: skip
LABELS = {"state", "grade", "score", "fiscal_year", "expected_close_on", "potential_sales"}
# Dates back what it has just had graded, so that an invented company has a past; no other installation's data.
MAKES_A_PAST = {"grading/demo/backdate.py"}
LONGEST_FILE, LONGEST_FUNCTION, LONG_FUNCTION, MOST_LONG_ONES, MEDIAN_FUNCTION = 400, 80, 50, 0.02, 9


@cache
def source() -> dict[str, ast.Module]:
    """Our code by its path, without migrations."""
    files = (file for name in APPS for file in sorted((ROOT / name).rglob("*.py")) if "migrations" not in file.parts)
    return {file.relative_to(ROOT).as_posix(): ast.parse(file.read_text()) for file in files}


def nodes(kind: type | tuple, paths: str = "") -> Iterator[tuple[str, ast.AST]]:
    """The nodes of a kind with where they stand; `paths` is a pattern that the path must match."""
    for path, tree in source().items():
        if re.search(paths, path):
            yield from ((f"{path}:{node.lineno}", node) for node in ast.walk(tree) if isinstance(node, kind))


def our_models() -> list[type[Model]]:
    return [model for model in apps.get_models() if model._meta.app_label in APPS]


def scoped_models() -> list[type[Model]]:
    return [model for model in our_models() if hasattr(model._default_manager.all(), "visible_to")]


def chain_of(call: ast.expr) -> list[str]:
    """The names of a chain of calls from its root on: Grade.objects.filter(…).update(…)."""
    names: list[str] = []
    while isinstance(call, ast.Call | ast.Attribute):
        if isinstance(call, ast.Attribute):
            names.append(call.attr)
            call = call.value
        else:
            call = call.func
    return [*([call.id] if isinstance(call, ast.Name) else ["?"]), *reversed(names)]


def functions() -> list[tuple[str, int]]:
    found = nodes((ast.FunctionDef, ast.AsyncFunctionDef))
    return [(f"{place} {node.name}", node.end_lineno - node.lineno + 1) for place, node in found]


# --- access


def views(resolver: URLResolver, namespace: str = "") -> Iterator[tuple[str, str, object]]:
    """Every view with its namespace and address."""
    for entry in resolver.url_patterns:
        if isinstance(entry, URLPattern):
            yield namespace, str(entry.pattern), entry.callback
        else:
            yield from views(entry, entry.namespace or namespace)


def declares_access(view) -> bool:
    """A page by its decorator, a resource of the API by its permission for every action."""
    if hasattr(view, "access"):
        return view.access in {"public", "signed in"} or isinstance(view.access, Permission)
    resource = getattr(view, "cls", None)
    return resource is not None and set(view.actions.values()) <= resource.permissions.keys()


def test_every_view_declares_its_access():
    """Two groups stand for themselves: the administration asks its site, sign-in is allauth's and open."""
    silent = [
        f"{namespace}:{address}"
        for namespace, address, view in views(get_resolver())
        if namespace != "admin" and not view.__module__.startswith("allauth.") and not declares_access(view)
    ]
    assert silent == []


def test_the_administration_shows_scoped_records_only():
    assert all(isinstance(shown, ScopedAdmin) for shown in admin.site._registry.values())


def test_every_permission_opens_some_door():
    used = {
        node.attr
        for place, node in nodes(ast.Attribute)
        if isinstance(node.value, ast.Name) and node.value.id == "Permission" and "crm/permissions.py" not in place
    }
    assert {permission.name for permission in Permission} - used == set()


# --- scope


def lists() -> Iterator[tuple[str, type[Model], object]]:
    """What shows records of scoped models: resources of the API and the administration."""
    scoped = scoped_models()
    for routes in settings.API_ROUTES:
        for prefix, resource in import_string(routes):
            if resource.queryset.model in scoped:
                yield f"api {prefix}", resource.queryset.model, lambda user, kind=resource: api_list(kind, user)
    for model, shown in admin.site._registry.items():
        if model in scoped:
            yield (
                f"admin {model.__name__}",
                model,
                lambda user, shown=shown: shown.get_queryset(SimpleNamespace(user=user)),
            )


def api_list(resource, user):
    shown = resource()
    shown.request, shown.action = SimpleNamespace(user=user), "list"
    return shown.get_queryset()


@pytest.mark.parametrize(("name", "model", "read"), list(lists()))
def test_every_list_asks_what_exists_for_the_person(name, model, read, head_office, monkeypatch):
    asked = []
    kind = type(model._default_manager.all())
    monkeypatch.setattr(kind, "visible_to", lambda self, user: asked.append(user) or self)
    read(head_office)
    assert head_office in asked


def test_pages_fetch_scoped_records_through_visible_to_only():
    """A heuristic: a chain that begins at the manager of a scoped model says visible_to somewhere on its way.

    Or it narrows to a record that was fetched so: a line, the outer row of a subquery, what `of(record)` has changed.
    """
    names = {model.__name__ for model in scoped_models()}
    inner = {id(node.value) for _, node in nodes(ast.Attribute)} | {id(node.func) for _, node in nodes(ast.Call)}
    unscoped = [
        f"{place} {'.'.join(chain)}"
        for place, node in nodes(ast.Call, r"/views/|/panels\.py|/navigation\.py|/scope\.py|/filters\.py|/forms\.py")
        if id(node) not in inner
        and (chain := chain_of(node))[0] in names
        and "objects" in chain
        and not {"visible_to", "writable_by", "waiting_for", "of"} & set(chain)
        and not {"line", "customer", "line__in", "grade__in"}
        & {keyword.arg for call in ast.walk(node) for keyword in getattr(call, "keywords", ())}
    ]
    assert unscoped == []


# --- direction


def test_apps_and_layers_import_downwards():
    """The contracts of pyproject.toml."""
    linter = Path(sys.executable).parent / "lint-imports"
    verdict = subprocess.run([linter, "--no-logo"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert verdict.returncode == 0, verdict.stdout


def test_foreign_keys_point_down():
    upwards = [
        str(field)
        for model in our_models()
        for field in model._meta.get_fields()
        if isinstance(field, ForeignKey) and (target := field.related_model._meta.app_label) in APPS
        if APPS.index(target) > APPS.index(model._meta.app_label)
    ]
    assert upwards == []


@pytest.mark.parametrize(
    "setting",
    [
        *("CARRIED", "CUSTOMER_PANELS", "CUSTOMER_EVENTS", "AS_OF_PANELS", "HOME_PANELS", "NAVIGATION", "IMPORT_KINDS"),
        *("RECORD_KINDS", "MERGE_STEPS", "SIGHT_KINDS", "API_ROUTES", "JOB_TASKS"),
    ],
)
def test_the_names_that_replace_imports_upwards_exist(setting):
    names = getattr(settings, setting)
    for name in names.values() if isinstance(names, dict) else names:
        assert import_string(name) is not None
    assert import_string(settings.FACTS_CHANGED_TASK) is not None


def test_private_names_stay_in_their_module():
    borrowed = [
        f"{place} {alias.name}"
        for place, node in nodes(ast.ImportFrom)
        for alias in node.names
        if alias.name.startswith("_") and not alias.name.startswith("__") and node.module.split(".")[0] in APPS
    ]
    assert borrowed == []


# --- models


def test_models_have_no_hidden_behaviour():
    """No save or delete of their own, no ordering that a query inherits without asking."""
    odd = [
        f"{kind.__name__}.{name}"
        for model in our_models()
        for kind in model.__mro__
        if kind.__module__.split(".")[0] in APPS
        for name in {"save", "delete", "asave", "adelete", "full_clean"} & vars(kind).keys()
    ]
    ordered = [model.__name__ for model in our_models() if model._meta.ordering]
    assert (odd, ordered) == ([], [])


def test_nothing_listens_to_signals():
    listening = [
        f"{place} {node.module}"
        for place, node in nodes(ast.ImportFrom)
        if node.module and re.search(r"signals|^django\.dispatch", node.module)
    ]
    assert listening == []


def test_every_constraint_has_a_name_that_says_what_holds():
    names = [constraint.name for model in our_models() for constraint in model._meta.constraints]
    assert len(names) > 20
    assert [name for name in names if not re.fullmatch(r"[a-z]+(_[a-z0-9]+)+", name)] == []
    assert [model.__name__ for model in our_models() if model._meta.unique_together] == []


# --- who writes what


def writes(models: set[str], tables: str) -> Iterator[str]:
    """Where records of the models are made or changed: by the manager, by the constructor, by SQL."""
    for place, node in nodes(ast.Call):
        chain = chain_of(node)
        if chain[0] in models and ("objects" in chain or "_base_manager" in chain) and WRITERS & set(chain):
            yield place
        if isinstance(node.func, ast.Name) and node.func.id in models:
            yield place
    for place, node in nodes(ast.Constant):
        if isinstance(node.value, str) and re.search(rf"(INSERT INTO|UPDATE|DELETE FROM)\s+({tables})\b", node.value):
            yield place


def outside(places: Iterator[str], allowed: str) -> list[str]:
    return [place for place in places if not re.match(allowed, place) and place.split(":")[0] not in MAKES_A_PAST]


def test_only_gradings_actions_write_grades():
    places = list(writes({"Grade", "GradeRecord"}, "grading_grade|grading_graderecord"))
    assert any(place.startswith("grading/actions/") for place in places)
    assert outside(iter(places), "grading/actions/") == []


def test_only_gradings_actions_write_the_labels_of_grades():
    """The labels on a customer line: which calls write them by name, and which SQL updates the table."""
    by_name = [
        place
        for place, node in nodes(ast.Call)
        if {"update", "update_or_create", "create", "get_or_create"} & set(chain_of(node)[-1:])
        and chain_of(node)[0] == "CustomerLine"
        and LABELS & {keyword.arg for keyword in node.keywords}
    ]
    assigned = [
        place
        for place, node in nodes(ast.Assign, r"^crm/")
        for target in node.targets
        if isinstance(target, ast.Attribute) and target.attr in LABELS - {"state"}
    ]
    by_sql = list(writes(set(), "crm_customerline"))
    assert by_sql
    assert outside(iter([*by_name, *assigned, *by_sql]), "grading/actions/") == []


def test_only_one_module_writes_the_change_log():
    places = list(writes({"Change"}, "crm_change"))
    assert places
    assert outside(iter(places), r"crm/actions/changes\.py") == []


# --- how code is written


def test_imports_stand_at_the_top():
    late = [
        place
        for place, function in nodes((ast.FunctionDef, ast.AsyncFunctionDef))
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
    ]
    assert late == []


def test_errors_are_caught_by_name():
    broad = [
        place
        for place, node in nodes(ast.ExceptHandler)
        if node.type is None or (isinstance(node.type, ast.Name) and node.type.id in ("Exception", "BaseException"))
    ]
    assert broad == []


def test_names_say_what_a_thing_is():
    vague = [
        f"{place} {node.name}"
        for place, node in nodes(ast.ClassDef)
        if re.search(r"(Helper|Service|Util|Utils)$", node.name)
    ]
    files = [path for path in source() if re.search(r"/(utils?|helpers?|services?|misc|common)\.py$", path)]
    assert (vague, files) == ([], [])


def test_no_file_is_long():
    lengths = {path: len((ROOT / path).read_text().splitlines()) for path in source()}
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_functions_are_short():
    found = functions()
    assert [entry for entry in found if entry[1] > LONGEST_FUNCTION] == []
    long_ones = [entry for entry in found if entry[1] > LONG_FUNCTION]
    assert len(long_ones) <= MOST_LONG_ONES * len(found), long_ones
    assert statistics.median(length for _, length in found) <= MEDIAN_FUNCTION


# --- dependencies (what templates may hold: test_frontend.py)


@pytest.mark.parametrize("name", ["runtime", "dev"])
def test_every_dependency_says_why_it_is_there(name):
    blocks = re.split(r"\n(?=#)", (ROOT / "requirements" / f"{name}.in").read_text())
    wanted = {line for block in blocks for line in block.splitlines() if line and not line.startswith(("#", "-"))}
    explained = {line for block in blocks if re.match(r"# \S", block) for line in block.splitlines()}
    assert wanted
    assert wanted - explained == set()


def test_requirements_name_no_registry():
    text = "".join(file.read_text() for file in (ROOT / "requirements").iterdir())
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links", text) == []
