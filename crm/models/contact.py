"""The people at a customer."""

from django.db import models
from django.utils.translation import gettext_lazy as _

from crm.models.customer import Customer, of_customers_visible_to
from crm.models.fields import LineField, ProseField
from crm.models.user import User


class ContactQuerySet(models.QuerySet):
    """Contacts in the words of the business."""

    def visible_to(self, user: User) -> "ContactQuerySet":
        """Who sees a customer sees the people there."""
        return self.filter(of_customers_visible_to(user), deleted_at=None)


class Contact(models.Model):
    """A person at a customer."""

    customer = models.ForeignKey(Customer, models.PROTECT, related_name="contacts", verbose_name=_("customer"))
    name = LineField(_("name"), max_length=60)
    department = LineField(_("department"), max_length=60, blank=True)
    title = LineField(_("title"), max_length=60, blank=True)
    phone = LineField(_("phone"), max_length=40, blank=True)
    email = models.EmailField(_("e-mail"), blank=True)
    is_key_person = models.BooleanField(_("key person"), default=False)
    note = ProseField(_("note"), blank=True)
    version = models.PositiveIntegerField(default=1, editable=False)
    deleted_at = models.DateTimeField(null=True, editable=False)

    objects = ContactQuerySet.as_manager()

    class Meta:
        verbose_name = _("contact")
        verbose_name_plural = _("contacts")

    def __str__(self) -> str:
        return self.name
