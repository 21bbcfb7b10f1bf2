"""A record's history as the administration shows it: rows of the change log, in words."""

from django.db.models import Model

from crm.change_words import Told, tell
from crm.models import Change, User


def changes_of(record: Model, user: User) -> list[Told]:
    """The changes of a record that a person may see, the latest first."""
    return tell(Change.objects.visible_to(user).of(record).reverse(), user)
