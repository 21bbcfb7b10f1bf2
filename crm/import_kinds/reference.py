"""Importing reference rows: regions and product lines, found by their code."""

from collections.abc import Callable, Sequence

from crm.actions.import_rows import Column, Kind, Row
from crm.actions.references import closed_by_undo
from crm.import_kinds.shared import written
from crm.lib.cells import text, whole
from crm.models import ProductLine, Region, User
from crm.permissions import Permission


def match_named(model: type[Region] | type[ProductLine]) -> Callable[[Sequence[Row], User | None], None]:
    """Find reference rows by their code."""

    def match(rows: Sequence[Row], user: User | None) -> None:
        stored = {one.code: one for one in model._default_manager.select_for_update()}
        back = closed_by_undo(model, [one.pk for one in stored.values() if not one.is_active])
        for row in rows:
            row.key, row.fields = (row.values.get("code"),), dict(row.values)
            row.record = stored.get(row.values.get("code", ""))
            if row.record is not None and row.record.pk in back:
                row.fields["is_active"] = True

    return match


def withdraw_named(record: Region | ProductLine) -> None:
    """A created reference row is shown no more."""
    record.is_active = False


_COLUMNS = (
    Column("code", text, ("编码",), True),
    Column("name", written, ("名称",), True),
    Column("name_en", written, ("英文名称", "english name")),
    Column("position", whole, ("顺序",)),
)
REGIONS = Kind("regions", Region, Permission.EDIT_REFERENCE, _COLUMNS, match_named(Region), withdraw=withdraw_named)
PRODUCT_LINES = Kind(
    "product-lines", ProductLine, Permission.EDIT_REFERENCE, _COLUMNS, match_named(ProductLine), withdraw=withdraw_named
)
