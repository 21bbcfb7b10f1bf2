"""The product's settings for a demo on PostgreSQL and Redis: errors as a user sees them, a queue of its own."""

from crm.settings import *  # noqa: F403
from crm.settings import CACHES, DATABASES, REDIS_URL

# DEBUG=true in the environment only lets static files come from where they lie.
DEBUG = False
if REDIS_URL:
    CELERY_TASK_DEFAULT_QUEUE = DATABASES["default"]["NAME"]
    CACHES["default"]["KEY_PREFIX"] = DATABASES["default"]["NAME"]
