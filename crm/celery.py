"""The Celery application. Celery only nudges: what has to be done stands in the database (crm.models.Job)."""

import os

from celery import Celery

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "crm.settings")

app = Celery("hengke")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks()
