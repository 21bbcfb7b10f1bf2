"""An assessment that an undone import had created stays, and counts no more."""

from django.db import migrations, models
from django.db.models import Q


class Migration(migrations.Migration):
    dependencies = [("grading", "0005_records_say_their_transaction"), ("crm", "0008_imports_undone")]

    operations = [
        migrations.RemoveConstraint(model_name="assessment", name="assessment_once_per_line_and_year"),
        migrations.AddField(
            model_name="assessment",
            name="deleted_at",
            field=models.DateTimeField(editable=False, null=True),
        ),
        migrations.AddConstraint(
            model_name="assessment",
            constraint=models.UniqueConstraint(
                condition=Q(("deleted_at", None)),
                fields=("line", "fiscal_year"),
                name="assessment_once_per_line_and_year",
                violation_error_message="The customer line already has an assessment of this year.",
            ),
        ),
    ]
