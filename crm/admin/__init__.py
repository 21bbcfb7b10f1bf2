"""The administration: what pages do not offer, scoped and written like everything else."""

from crm.admin import audit, customers, people, reference

__all__ = ["audit", "customers", "people", "reference"]
