"""Product lines: a customer is graded in each of them on its own."""

from django.utils.translation import gettext_lazy as _

from crm.models.named import Named


class ProductLine(Named):
    """A product line 产品线. Grades of different lines are never compared, mixed or summed."""

    class Meta:
        verbose_name = _("product line")
        verbose_name_plural = _("product lines")
