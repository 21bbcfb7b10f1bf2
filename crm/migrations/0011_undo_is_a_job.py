"""An import that is being undone has a state of its own."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0010_changes_cost_less"),
    ]

    operations = [
        migrations.RemoveConstraint(
            model_name="dataimport",
            name="import_applied_has_its_batch",
        ),
        migrations.AlterField(
            model_name="dataimport",
            name="state",
            field=models.CharField(
                choices=[
                    ("uploaded", "Uploaded"),
                    ("checking", "Being checked"),
                    ("checked", "Checked"),
                    ("importing", "Being imported"),
                    ("done", "Imported"),
                    ("failed", "Failed"),
                    ("undoing", "Being undone"),
                    ("undone", "Undone"),
                    ("cancelled", "Cancelled"),
                ],
                default="uploaded",
                max_length=10,
                verbose_name="state",
            ),
        ),
        migrations.AddConstraint(
            model_name="dataimport",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("state__in", ("done", "undoing", "undone")), _negated=True),
                    ("batch__isnull", False),
                    _connector="OR",
                ),
                name="import_applied_has_its_batch",
            ),
        ),
    ]
