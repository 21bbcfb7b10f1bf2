"""One field of many records changed at once."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0016_accounts"),
    ]

    operations = [
        migrations.AlterField(
            model_name="change",
            name="way",
            field=models.CharField(
                choices=[
                    ("form", "page"),
                    ("api", "API"),
                    ("import", "import"),
                    ("bulk", "bulk change"),
                    ("admin", "administration"),
                    ("command", "command"),
                    ("job", "job"),
                ],
                max_length=10,
            ),
        ),
        migrations.CreateModel(
            name="BulkChange",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("kind", models.SlugField(max_length=40, verbose_name="list")),
                (
                    "query",
                    models.TextField(blank=True, help_text="The address of the list from which the rows were chosen."),
                ),
                (
                    "chosen",
                    models.JSONField(help_text="Number and version of each record, as the confirmation showed it."),
                ),
                ("size", models.PositiveIntegerField(verbose_name="rows")),
                ("field", models.SlugField(blank=True, max_length=40, verbose_name="field")),
                ("value", models.JSONField(null=True, verbose_name="new value")),
                ("version", models.PositiveIntegerField(default=0, help_text="Counts how often it was set up.")),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("chosen", "Selected"),
                            ("shown", "To be confirmed"),
                            ("changing", "Being changed"),
                            ("done", "Carried out"),
                            ("failed", "Failed"),
                            ("undoing", "Being undone"),
                            ("undone", "Undone"),
                            ("cancelled", "Cancelled"),
                        ],
                        default="chosen",
                        max_length=10,
                        verbose_name="state",
                    ),
                ),
                ("report", models.JSONField(default=dict)),
                (
                    "batch",
                    models.UUIDField(help_text="The number that its changes share in the change log.", null=True),
                ),
                (
                    "language",
                    models.CharField(blank=True, help_text="In which its reasons are written.", max_length=10),
                ),
                ("created_at", models.DateTimeField(verbose_name="created at")),
                ("finished_at", models.DateTimeField(null=True, verbose_name="finished at")),
                ("undo_batch", models.UUIDField(help_text="The number that the changes of its undo share.", null=True)),
                ("undone_at", models.DateTimeField(null=True, verbose_name="undone at")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="by",
                    ),
                ),
                (
                    "job",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.job",
                        verbose_name="job",
                    ),
                ),
            ],
            options={
                "verbose_name": "bulk change",
                "verbose_name_plural": "bulk changes",
                "indexes": [models.Index(fields=["by", "-id"], name="bulk_change_by")],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state__in", ("done", "undoing", "undone")), _negated=True),
                            ("batch__isnull", False),
                            _connector="OR",
                        ),
                        name="bulk_change_applied_has_its_batch",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("state", "shown"), _negated=True),
                            models.Q(("field", ""), _negated=True),
                            _connector="OR",
                        ),
                        name="bulk_change_shown_names_its_field",
                    ),
                ],
            },
        ),
    ]
