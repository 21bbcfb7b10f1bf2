"""The script that takes scopes out: it finds them, takes each out, and says who notices."""

import ast
import os
import subprocess
import sys

import pytest

from scripts.without_scope import ROOT, places, tree_without

FOUND = places()


def found(words: str):
    return next(place for place in FOUND if words in str(place))


def test_it_finds_methods_calls_conditions_and_guards():
    assert len(FOUND) > 100
    assert {place.kind for place in FOUND} == {"method", "call", "condition", "guard"}
    names = " ".join(map(str, FOUND))
    assert {"User.exists_for", "leads_out", "ScopedAdmin.lookup_allowed"} <= {place.where for place in FOUND}
    wanted = (
        "writable_by",
        "of_customers_visible_to",
        "imports_of",
        "own_exports",
        "ScopedAdmin.get_queryset",
        "waiting_for",
    )
    assert [word for word in wanted if word not in names] == []


@pytest.mark.parametrize("place", FOUND, ids=str)
def test_each_can_be_taken_out(place):
    before = ast.dump(ast.parse((ROOT / place.path).read_text()))
    tree = tree_without(place)
    assert ast.dump(tree) != before
    compile(tree, place.path, "exec")


def test_what_is_taken_out_is_the_scope_and_not_what_is_deleted():
    tree = ast.unparse(tree_without(found("CustomerQuerySet.visible_to: def")))
    assert "return self.filter(deleted_at=None)" in tree


@pytest.mark.exhaustive
def test_it_says_which_test_notices_and_which_removal_survives():
    """Two removals in processes of their own, none of this run's variables with them; lists of people know no sales."""
    words = ("UserQuerySet.visible_to", "SaleQuerySet.visible_to", "tests/crm/test_list_people.py")
    command = [sys.executable, "-m", "scripts.remove_scopes", *words]
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    ran = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    assert "    caught by crm/test_list_people.py::test_another_regions" in ran.stdout, ran.stdout + ran.stderr
    assert "of_customers_visible_to(user, 'line__customer')\n    SURVIVED\n" in ran.stdout
    assert "2 places: 1 caught, 0 behind another scope, 1 survived" in ran.stdout
    assert ran.returncode == 1
