"""SQLite's count of transactions (crm.lib.transactions); PostgreSQL has its own and leaves this empty."""

from django.db import models


class TransactionNumber(models.Model):
    """One row: the number of the latest transaction that wrote what others follow."""

    number = models.BigIntegerField()

    def __str__(self) -> str:
        return f"{self.number}"
