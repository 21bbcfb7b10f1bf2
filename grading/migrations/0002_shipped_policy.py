"""Every installation starts with the shipped grading policy, version 1, in force."""

from datetime import UTC, datetime

from django.db import migrations

from grading.policy import SHIPPED


def add_policy(apps, schema_editor):
    """Add version 1 where there is no version at all."""
    policies = apps.get_model("grading", "GradingPolicy").objects
    if policies.exists():
        return
    policy = policies.create(
        number=1, note="As shipped", state="published", published_at=datetime(2000, 1, 1, tzinfo=UTC)
    )
    band = apps.get_model("grading", "PolicyBand")
    band.objects.bulk_create(
        band(policy=policy, kind=kind, floor=row.floor, points=row.points)
        for kind, rows in (("margin", SHIPPED.margin), ("potential", SHIPPED.potential), ("bonus", SHIPPED.bonus))
        for row in rows
    )


class Migration(migrations.Migration):
    dependencies = [("grading", "0001_initial"), ("crm", "0002_reference")]

    operations = [migrations.RunPython(add_policy, migrations.RunPython.noop)]
