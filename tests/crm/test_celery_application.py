"""Every process of Django nudges through our Celery application: commands, web and workers alike."""

from celery import current_app

import crm


def test_the_current_application_is_ours():
    assert crm.celery_app.main == "hengke"
    assert current_app._get_current_object() is crm.celery_app
