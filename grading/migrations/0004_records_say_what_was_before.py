"""A record says its product line and what the line was labelled before, so that a run's report needs no join.

On PostgreSQL the heads are read from their index alone: they are read for every line of a run (docs/benchmarks.md).
"""

import django.db.models.deletion
from django.db import migrations, models

FILL = """UPDATE grading_graderecord SET product_line_id = (
    SELECT l.product_line_id FROM grading_grade g JOIN crm_customerline l ON l.id = g.line_id
    WHERE g.id = grading_graderecord.grade_id)"""


def cover_heads(apps, schema_editor):
    """Make the unique index again with the rest of the head in it; SQLite knows no such index."""
    if schema_editor.connection.vendor == "postgresql":
        schema_editor.execute("ALTER TABLE grading_grade DROP CONSTRAINT grade_once_per_line_and_year")
        schema_editor.execute(
            "CREATE UNIQUE INDEX grade_once_per_line_and_year ON grading_grade (line_id, fiscal_year)"
            " INCLUDE (id, record_id)"
        )


class Migration(migrations.Migration):
    dependencies = [("crm", "0005_stored_files"), ("grading", "0003_chunks_count_their_part")]

    operations = [
        migrations.AddField(
            model_name="graderecord",
            name="product_line",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="crm.productline",
            ),
        ),
        migrations.RunSQL(FILL, migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="graderecord",
            name="product_line",
            field=models.ForeignKey(
                db_constraint=False,
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to="crm.productline",
            ),
        ),
        migrations.AddField(
            model_name="graderecord",
            name="before",
            field=models.CharField(
                default="not_assessed",
                help_text="What the line was labelled: a letter, or a state.",
                max_length=12,
                verbose_name="before",
            ),
            preserve_default=False,
        ),
        migrations.RunPython(cover_heads, migrations.RunPython.noop),
    ]
