"""The administration: what pages do not offer, scoped and written like everything else."""

from crm.admin import accounts, audit, customers, people, reference

__all__ = ["accounts", "audit", "customers", "people", "reference"]
