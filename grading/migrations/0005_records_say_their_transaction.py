"""A record says in which transaction it was written, so that a reader who follows grades misses none."""

from django.db import migrations, models


def index_records(apps, schema_editor):
    """Records are appended, so their transactions lie in order: a coarse index finds them and costs a run nothing."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute(
            "CREATE INDEX record_transaction ON grading_graderecord USING brin (transaction_number)"
            " WITH (pages_per_range = 16, autosummarize = on)"
        )


def drop_index(apps, schema_editor):
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX record_transaction")


class Migration(migrations.Migration):
    dependencies = [("grading", "0004_records_say_what_was_before"), ("crm", "0007_what_followers_need")]

    operations = [
        migrations.AddField(
            model_name="graderecord",
            name="transaction_number",
            field=models.BigIntegerField(
                db_default=0, default=0, help_text="As in the change log: who follows grades reads on from it."
            ),
        ),
        migrations.RunPython(index_records, drop_index),
    ]
