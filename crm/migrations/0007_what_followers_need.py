"""What a reader needs that follows the changes, and what keeps a repeated request from being done twice."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def index_labels(apps, schema_editor):
    """On PostgreSQL a coarse index costs the annual run nothing and finds the lines moved lately."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX line_labels_transaction ON crm_customerline USING brin (labels_transaction)"
            " WITH (pages_per_range = 16, autosummarize = on)"
        )


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX line_labels_transaction")


class Migration(migrations.Migration):
    dependencies = [("crm", "0006_data_imports")]

    operations = [
        migrations.AddField(
            model_name="change",
            name="is_tombstone",
            field=models.BooleanField(
                default=False,
                help_text="Says to its region and customer that the record is theirs no more; changes nothing.",
            ),
        ),
        migrations.AddIndex(
            model_name="change",
            index=models.Index(fields=["table", "transaction"], name="change_table_transaction"),
        ),
        migrations.AddField(
            model_name="customerline",
            name="labels_transaction",
            field=models.BigIntegerField(
                db_default=0, default=0, editable=False, help_text="The transaction that moved the labels last."
            ),
        ),
        migrations.CreateModel(
            name="TransactionNumber",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("number", models.BigIntegerField()),
            ],
        ),
        migrations.CreateModel(
            name="IdempotentAnswer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(help_text="A hash of the key.", max_length=64)),
                ("request", models.CharField(help_text="A hash of what was asked.", max_length=64)),
                ("status", models.PositiveSmallIntegerField()),
                ("headers", models.JSONField(default=dict)),
                ("body", models.TextField()),
                ("at", models.DateTimeField(db_index=True)),
                (
                    "user",
                    models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "constraints": [models.UniqueConstraint(fields=("user", "key"), name="answer_once_per_key")],
            },
        ),
        migrations.RunPython(index_labels, drop_index),
    ]
