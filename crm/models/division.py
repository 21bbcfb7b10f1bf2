"""Administrative divisions of China: province, prefecture, county."""

from django.db import models
from django.utils.translation import gettext_lazy as _


class Division(models.Model):
    """An administrative division; the code is the national six-digit one."""

    code = models.CharField(_("code"), max_length=6, primary_key=True)
    name = models.CharField(_("name"), max_length=60)
    parent = models.ForeignKey(
        "self", models.PROTECT, null=True, blank=True, related_name="children", verbose_name=_("parent")
    )

    class Meta:
        verbose_name = _("division")
        verbose_name_plural = _("divisions")

    def __str__(self) -> str:
        return self.name
