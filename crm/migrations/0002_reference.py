"""Every installation starts with the product lines and the departments."""

from django.db import migrations

from crm.data.reference import DEPARTMENTS, PRODUCT_LINES


def add_reference(apps, schema_editor):
    """Add what is not there."""
    for position, (code, name, name_en) in enumerate(PRODUCT_LINES, start=1):
        apps.get_model("crm", "ProductLine").objects.get_or_create(
            code=code, defaults={"name": name, "name_en": name_en, "position": position}
        )
    for position, (code, name, name_en, is_marketing_centre) in enumerate(DEPARTMENTS, start=1):
        apps.get_model("crm", "Department").objects.get_or_create(
            code=code,
            defaults={"name": name, "name_en": name_en, "position": position, "is_marketing_centre": is_marketing_centre},
        )


class Migration(migrations.Migration):
    dependencies = [("crm", "0001_initial")]

    operations = [migrations.RunPython(add_reference, migrations.RunPython.noop)]
