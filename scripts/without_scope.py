"""Where the product asks what exists for a person; and the running product with one of these places taken out."""

import ast
import gc
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cached_property
from importlib import import_module
from inspect import unwrap
from pathlib import Path
from types import CodeType, FunctionType
from typing import Any

ROOT = Path(__file__).resolve().parent.parent
# Calls that narrow records to what exists for a person; `of` only where it is given one.
CALLS = frozenset({"visible_to", "writable_by", "waiting_for"})
PEOPLE = frozenset({"user", "person", "by"})
METHODS = frozenset({"visible_to", "writable_by", "of", "waiting_for", "of_customers_visible_to"})
# Functions that say yes or no of one record or of what an address may ask; and what they say of everything without.
ANSWERS = {"exists_for": "True", "leads_out": "False", "_leads_out": "False", "lookup_allowed": "True"}
CHOOSERS = frozenset({"_seen", "get_queryset"})  # where they choose by the role
GUARDS = frozenset({"_require_reach", "require_own_line"})
_LAMBDA = "lambda in line "
_NO_CONDITION = ast.parse("__import__('django.db.models', fromlist=['Q']).Q(pk__isnull=False)", mode="eval").body


# While the product is watched: the functions with a scope that the question under way and its test have reached.
REACHED: set[str] = set()
REACHED_BEFORE: set[str] = set()
BY_QUESTION: dict[str, set[str]] = {}
# Where one place is tried: what is worth asking, because it reaches the place; nothing: everything.
WORTH_ASKING: set[str] = set()


@dataclass(frozen=True)
class Place:
    """Something that narrows what a person sees: which file, where, in which function, and what it says."""

    path: str
    line: int
    column: int
    kind: str
    where: str
    code: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line} {self.where}: {self.code}"

    @property
    def name(self) -> str:
        """How it is called whatever stands above it in its file."""
        return f"{self.path} {self.where}: {self.code}"

    @property
    def function(self) -> str:
        """The function in which it stands."""
        return f"{self.path} {self.where}"


def places() -> list[Place]:
    """All of them, by AST over the apps."""
    apps = ("crm", "opportunities", "visits", "grading", "showcase")
    files = sorted(file for app in apps for file in (ROOT / app).rglob("*.py"))
    ours = [file for file in files if not {"migrations", "demo"} & {*file.parts}]
    return [place for file in ours for place in _places_of(file.relative_to(ROOT).as_posix(), file.read_text())]


def _places_of(path: str, source: str) -> Iterator[Place]:
    for where, node in _walk(ast.parse(source), (), is_inside=False):
        if kind := _kind_of(node):
            named = ".".join((*where, node.name) if kind == "method" else where)
            code = ast.unparse(node).partition("\n")[0]
            yield Place(path, node.lineno, node.col_offset, kind, named, code)


def _walk(node: ast.AST, where: tuple[str, ...], *, is_inside: bool) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Every node with the classes and the outermost function in which it stands."""
    for child in ast.iter_child_nodes(node):
        yield where, child
        if isinstance(child, ast.FunctionDef | ast.ClassDef) and not is_inside:
            is_function = isinstance(child, ast.FunctionDef)
            yield from _walk(child, (*where, child.name), is_inside=is_function)
        elif isinstance(child, ast.Lambda) and not is_inside:
            yield from _walk(child, (f"{_LAMBDA}{child.lineno}",), is_inside=True)
        else:
            yield from _walk(child, where, is_inside=is_inside)


def _kind_of(node: Any) -> str:
    """What kind of narrowing a node is; nothing for any other."""
    if isinstance(node, ast.FunctionDef):
        return "method" if _narrows(node) else ""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
        return "guard" if _name_of(node.value.func) in GUARDS else ""
    if isinstance(node, ast.Call):
        return "condition" if _name_of(node.func) == "of_customers_visible_to" else "call" * _asks_for_a_person(node)
    return ""


def _asks_for_a_person(call: ast.Call) -> bool:
    """Whether a call narrows to what exists for a person, or to what is his own."""
    name = _name_of(call.func)
    if not isinstance(call.func, ast.Attribute):
        return False
    if name == "of":
        return len(call.args) == 1 and _name_of(call.args[0]) in PEOPLE
    own = [word.arg in PEOPLE and ast.unparse(word.value) == "request.user" for word in call.keywords]
    return name in CALLS or (name == "filter" and own == [True] and not call.args)


def _narrows(method: ast.FunctionDef) -> bool:
    """Not a method that only passes a call on, which is a place by itself, and not one that narrows nothing."""
    if method.name in ANSWERS:
        return True
    inner = list(ast.walk(method))
    calls = [_name_of(node.func) for node in inner if isinstance(node, ast.Call)]
    if method.name in CHOOSERS:
        return any(isinstance(node, ast.IfExp) for node in inner) and not {*calls} & CALLS
    if method.name not in METHODS or "user" not in [argument.arg for argument in method.args.args]:
        return False
    is_passed_on = len(method.body) <= 2 and bool({*calls} & (CALLS | {"of_customers_visible_to"}))
    return bool(calls) and not is_passed_on


def _name_of(node: ast.AST) -> str:
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


class _Remove(ast.NodeTransformer):
    """Takes one place out of a file."""

    def __init__(self, line: int, column: int, kind: str) -> None:
        self.at, self.kind, self.done = (line, column), kind, False

    def visit(self, node: Any) -> Any:
        is_there = (getattr(node, "lineno", 0), getattr(node, "col_offset", 0)) == self.at
        if self.done or not is_there or _kind_of(node) != self.kind:
            return self.generic_visit(node)
        self.done = True
        return ast.copy_location(self._instead(node), node)

    def _instead(self, node: Any) -> ast.AST:
        if self.kind == "guard":
            return ast.Pass()
        if self.kind == "condition":
            return _NO_CONDITION
        if self.kind == "method":
            return _open(node)
        if len(node.args) == 2:  # the administration's visible_to(records, user)
            return node.args[0]
        return ast.Call(ast.Attribute(node.func.value, "all", ast.Load()), [], [])


def _open(method: ast.FunctionDef) -> ast.FunctionDef:
    """The method without what it narrows; deleted records stay out all the same."""
    choices = [node for node in ast.walk(method) if isinstance(node, ast.IfExp)]
    if method.name in ANSWERS:
        return _with_body(method, [ast.Return(_expression(ANSWERS[method.name]))])
    if method.name == "of_customers_visible_to":
        returned: ast.expr = _expression("Q(**{f'{path}__deleted_at': None})")
    elif choices:
        return _with_body(method, [*method.body[:-1], ast.Return(choices[-1].body)])
    elif "deleted_at=None" in ast.unparse(method):
        returned = _expression("self.filter(deleted_at=None)")
    else:
        returned = _expression("self")
    return _with_body(method, [ast.Return(returned)])


def _expression(code: str) -> ast.expr:
    return ast.parse(code, mode="eval").body


def _with_body(method: ast.FunctionDef, body: list[ast.stmt]) -> ast.FunctionDef:
    return ast.FunctionDef(method.name, method.args, body, method.decorator_list, method.returns)


def tree_without(place: Place) -> ast.Module:
    """The tree of a place's file without it."""
    remove = _Remove(place.line, place.column, place.kind)
    tree = ast.fix_missing_locations(remove.visit(ast.parse((ROOT / place.path).read_text())))
    if not remove.done:
        raise LookupError(f"There is nothing to take out at {place}")
    return tree


def take_out(place: Place) -> None:
    """From now on the function of this process in which the place stands does without it."""
    _replace(place, tree_without(place))


def watch(chosen: Iterable[Place]) -> Callable[[], None]:
    """From now on the functions of the places note in REACHED that they were called; returns what ends that."""
    before: list[tuple[FunctionType, CodeType]] = []
    for place in {place.function: place for place in chosen}.values():
        function = _function(place)
        before.append((function, function.__code__))
        _replace(place, _tree_that_notes(place))

    def end() -> None:
        for function, code in before:
            function.__code__ = code

    return end


def note_question(name: str) -> None:
    """What has been reached until now, a question has reached."""
    BY_QUESTION.setdefault(name, set()).update(REACHED)
    REACHED_BEFORE.update(REACHED)
    REACHED.clear()


def _tree_that_notes(place: Place) -> ast.Module:
    """The tree of a place's file in which its function notes that it was called."""
    tree = ast.parse((ROOT / place.path).read_text())
    note = _expression(f"__import__('sys').modules[{__name__!r}].REACHED.add({place.function!r})")
    inner = _inner(tree, place.where)
    if isinstance(inner, ast.Lambda):
        inner.body = ast.BoolOp(ast.Or(), [note, inner.body])  # adding to a set gives nothing
    else:
        inner.body.insert(0, ast.Expr(note))
    return ast.fix_missing_locations(tree)


def _inner(tree: Any, where: str) -> Any:
    if where.startswith(_LAMBDA):
        line = int(where.removeprefix(_LAMBDA))
        return next(node for node in ast.walk(tree) if isinstance(node, ast.Lambda) and node.lineno == line)
    for name in where.split("."):
        kinds = (ast.FunctionDef, ast.ClassDef)
        tree = next(node for node in tree.body if isinstance(node, kinds) and node.name == name)
    return tree


def _replace(place: Place, tree: ast.Module) -> None:
    function = _function(place)
    compiled = compile(tree, str(ROOT / place.path), "exec", dont_inherit=True)
    codes = [one for one in _codes(compiled) if one.co_qualname == function.__qualname__]
    function.__code__ = next(one for one in codes if one.co_firstlineno == function.__code__.co_firstlineno)


def _function(place: Place) -> FunctionType:
    """The living function in which a place stands; one without a name is known by its line."""
    found: Any = import_module(place.path.removesuffix(".py").removesuffix("/__init__").replace("/", "."))
    if place.where.startswith(_LAMBDA):
        at = (str(ROOT / place.path), int(place.where.removeprefix(_LAMBDA)))
        every = (one for one in gc.get_objects() if isinstance(one, FunctionType) and one.__name__ == "<lambda>")
        return next(one for one in every if (one.__code__.co_filename, one.__code__.co_firstlineno) == at)
    for name in place.where.split("."):
        found = vars(found)[name]
    return _plain(found)


def _plain(found: Any) -> FunctionType:
    """The function behind decorators, properties and class methods."""
    if isinstance(found, property):
        found = found.fget
    elif isinstance(found, cached_property):
        found = found.func
    return unwrap(getattr(found, "__func__", found))


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield from _codes(constant)
