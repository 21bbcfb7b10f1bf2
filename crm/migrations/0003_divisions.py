"""Every installation starts with the administrative divisions of China."""

from django.db import migrations

from crm.data.divisions import read_divisions


def add_divisions(apps, schema_editor):
    """Add what is not there."""
    division = apps.get_model("crm", "Division")
    division.objects.bulk_create(
        (division(code=code, name=name, parent_id=parent) for code, name, parent in read_divisions()),
        ignore_conflicts=True,
    )


class Migration(migrations.Migration):
    dependencies = [("crm", "0002_reference")]

    operations = [migrations.RunPython(add_divisions, migrations.RunPython.noop)]
