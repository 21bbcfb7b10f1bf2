"""What was exported, and the way to the files that jobs have made."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0008_imports_undone")]

    operations = [
        migrations.CreateModel(
            name="Export",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("list_name", models.SlugField(max_length=40, verbose_name="list")),
                (
                    "filters",
                    models.TextField(
                        blank=True, help_text="As they stand in the list's address.", verbose_name="filters"
                    ),
                ),
                ("columns", models.TextField(blank=True, verbose_name="columns")),
                (
                    "format",
                    models.CharField(
                        choices=[("xlsx", "Excel (xlsx)"), ("csv", "CSV")], max_length=4, verbose_name="format"
                    ),
                ),
                ("language", models.CharField(max_length=10, verbose_name="language")),
                ("rows", models.PositiveIntegerField(null=True, verbose_name="rows")),
                (
                    "scope",
                    models.CharField(
                        blank=True,
                        help_text="What the maker saw then: the file is his while he sees the same.",
                        max_length=100,
                    ),
                ),
                ("at", models.DateTimeField(verbose_name="exported at")),
                ("refusal", models.TextField(blank=True, verbose_name="why there is no file")),
                ("fetched_at", models.DateTimeField(null=True, verbose_name="fetched at")),
                (
                    "by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="exported by",
                    ),
                ),
                (
                    "file",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.SET_NULL,
                        related_name="+",
                        to="crm.storedfile",
                        verbose_name="file",
                    ),
                ),
                (
                    "job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="crm.job",
                        verbose_name="job",
                    ),
                ),
            ],
            options={
                "verbose_name": "export",
                "verbose_name_plural": "exports",
                "indexes": [models.Index(fields=["by", "-at"], name="export_of_whom")],
            },
        ),
    ]
