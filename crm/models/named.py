"""Reference rows with a code and a name in each language."""

from django.db import models
from django.utils.translation import get_language
from django.utils.translation import gettext_lazy as _

from crm.models.fields import LineField


def label_of(name: str, name_en: str) -> str:
    """Of two names the one in the reader's language."""
    is_english = (get_language() or "").startswith("en")
    return name_en if is_english and name_en else name


class Named(models.Model):
    """A reference row; it is disabled with `is_active`, never deleted."""

    code = models.SlugField(_("code"), max_length=40, unique=True)
    name = LineField(_("name"), max_length=100)
    name_en = LineField(_("English name"), max_length=100, blank=True)
    position = models.PositiveSmallIntegerField(_("position"), default=0)
    is_active = models.BooleanField(_("active"), default=True)
    version = models.PositiveIntegerField(default=1, db_default=1, editable=False)

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return self.label

    @property
    def label(self) -> str:
        """The name in the reader's language."""
        return label_of(self.name, self.name_en)
