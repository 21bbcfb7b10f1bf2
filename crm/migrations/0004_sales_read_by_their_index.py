"""On PostgreSQL the sales of two years are summed from the index alone: a sixth of a run's reading (docs/benchmarks.md)."""

from django.db import migrations


def include_amount(apps, schema_editor):
    """Make the index again with the amount in it; SQLite knows no such index."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("DROP INDEX sale_line_signed")
        schema_editor.execute(
            "CREATE INDEX sale_line_signed ON crm_sale (line_id, signed_on) INCLUDE (amount) WHERE deleted_at IS NULL"
        )


class Migration(migrations.Migration):
    dependencies = [("crm", "0003_divisions")]

    operations = [migrations.RunPython(include_amount, migrations.RunPython.noop)]
