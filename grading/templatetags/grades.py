"""Words for grades and ungraded states in templates."""

from django import template

from crm.models import GradeState
from grading.explain import elements_in_words

register = template.Library()


@register.filter
def column_label(column: str) -> str:
    """A letter, or the ungraded state in words."""
    return str(GradeState(column).label) if column in GradeState.values else column


@register.filter
def column_query(column: str) -> str:
    """The filter that shows the rows of a column."""
    return f"state={column}" if column in GradeState.values else f"grade={column}"


@register.filter
def letter_of(column: str) -> str:
    """The column's letter; nothing for the ungraded states."""
    return "" if column in GradeState.values else column


@register.filter
def missing_elements(mask: int) -> list[str]:
    """The project-initiation elements that a sum of flags names, in short words."""
    return elements_in_words(mask)
