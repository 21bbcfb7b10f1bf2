"""One change log: audit, timeline, before-image of an undo, sync feed and tombstone."""

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils.translation import gettext_lazy as _

from crm.models.api_token import ApiToken
from crm.models.customer import Customer
from crm.models.region import Region
from crm.models.user import User


class Way(models.TextChoices):
    """By which door a change came in."""

    FORM = "form", _("page")
    API = "api", _("API")
    IMPORT = "import", _("import")
    BULK = "bulk", _("bulk change")
    ADMIN = "admin", _("administration")
    COMMAND = "command", _("command")
    JOB = "job", _("job")


class ChangeQuerySet(models.QuerySet):
    """Changes in the words of the business."""

    def of(self, obj: models.Model) -> "ChangeQuerySet":
        """The changes of one record, oldest first."""
        number = obj.number if isinstance(obj, ApiToken) else obj.pk
        return self.filter(table=obj._meta.db_table, object_id=number, is_tombstone=False).order_by("sequence")

    def visible_to(self, user: User) -> "ChangeQuerySet":
        """Changes of the customers one sees, made in the region where they are now; head office sees all of them.

        What was written before a customer moved stays with the region of then, whose people do not see the customer
        any more: only head office reads on. A merged customer's changes go on with the one it became. Administrators
        see what is of no customer: settings and people.
        """
        if user.sees_all_regions:
            return self
        if user.is_administrator:
            return self.filter(customer=None)
        reach = user.reach
        if reach.is_one_region:
            mine = reach.regions[0]
            of_survivor = Q(customer__merged_into__region_id=mine, customer__merged_into__deleted_at=None)
            alive = Q(customer__deleted_at=None) | of_survivor
            return self.filter(alive, region_id=mine, customer__region_id=mine)
        seen = Customer.objects.visible_to(user)
        of_survivors = Q(customer__merged_into__in=seen, customer__region_id=F("customer__merged_into__region_id"))
        return self.filter(Q(customer__in=seen) | of_survivors, region_id=F("customer__region_id"))

    def told(self) -> "ChangeQuerySet":
        """Those that say something to people: a tombstone only tells followers that a record has left."""
        return self.filter(is_tombstone=False)


class Change(models.Model):
    """One change of one record: appended by crm.actions.changes, never edited."""

    sequence = models.BigAutoField(primary_key=True)
    transaction = models.BigIntegerField(
        help_text="The database's transaction number, for readers that must miss nothing."
    )
    table = models.CharField(_("table"), max_length=60)
    object_id = models.BigIntegerField(_("record"))
    # The log is written by one function that has the records in hand, and none of them is ever deleted: the database
    # need not look them up again for every row (docs/adr/0009).
    region = models.ForeignKey(Region, models.PROTECT, null=True, related_name="+", db_constraint=False, db_index=False)
    customer = models.ForeignKey(
        Customer, models.PROTECT, null=True, related_name="changes", db_constraint=False, db_index=False
    )
    version = models.PositiveIntegerField(default=0)
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)
    by = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, null=True, related_name="+", db_constraint=False)
    way = models.CharField(max_length=10, choices=Way)
    reason = models.CharField(max_length=200, blank=True)
    batch = models.UUIDField(null=True)
    at = models.DateTimeField()
    is_tombstone = models.BooleanField(
        default=False, help_text="Says to its region and customer that the record is theirs no more; changes nothing."
    )

    objects = ChangeQuerySet.as_manager()

    class Meta:
        verbose_name = _("change")
        verbose_name_plural = _("changes")
        indexes = [
            models.Index(fields=["table", "object_id"], name="change_table_object"),
            models.Index(fields=["customer", "sequence"], name="change_customer"),
            models.Index(fields=["table", "transaction"], name="change_table_transaction"),
            models.Index(fields=["batch"], name="change_batch", condition=models.Q(batch__isnull=False)),
            # When something last left a region: a file that was made before may hold it.
            models.Index(fields=["region", "sequence"], name="change_left", condition=models.Q(is_tombstone=True)),
        ]

    def __str__(self) -> str:
        return f"{self.table} {self.object_id} · {self.at}"
