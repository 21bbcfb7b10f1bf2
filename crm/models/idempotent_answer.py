"""What was answered to a request that carried an Idempotency-Key, for as long as it may be repeated."""

from datetime import datetime, timedelta

from django.conf import settings
from django.db import models

KEPT_FOR = timedelta(hours=24)


class IdempotentAnswerQuerySet(models.QuerySet):
    """Kept answers."""

    def kept(self, now: datetime) -> "IdempotentAnswerQuerySet":
        """Those that are still repeated."""
        return self.filter(at__gt=now - KEPT_FOR)

    def expired(self, now: datetime) -> "IdempotentAnswerQuerySet":
        """Those whose key may be used for something else."""
        return self.filter(at__lte=now - KEPT_FOR)


class IdempotentAnswer(models.Model):
    """An answer, stored in the transaction of what the request did: a crash leaves neither or both."""

    user = models.ForeignKey(settings.AUTH_USER_MODEL, models.PROTECT, related_name="+", db_index=False)
    key = models.CharField(max_length=64, help_text="A hash of the key.")
    request = models.CharField(max_length=64, help_text="A hash of what was asked.")
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.TextField()
    at = models.DateTimeField(db_index=True)

    objects = IdempotentAnswerQuerySet.as_manager()

    class Meta:
        constraints = [models.UniqueConstraint(name="answer_once_per_key", fields=["user", "key"])]

    def __str__(self) -> str:
        return f"{self.status} · {self.at}"
