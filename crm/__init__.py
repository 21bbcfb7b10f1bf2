"""The ground floor and the front door."""

# Every process that loads Django nudges through our Celery application, not through Celery's default one.
from crm.celery import app as celery_app

__all__ = ["celery_app"]
