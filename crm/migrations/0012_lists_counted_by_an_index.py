"""A list counts on a small index of the customers that are alive; the one of all was never read by itself."""

import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0011_undo_is_a_job"),
    ]

    operations = [
        migrations.AlterField(
            model_name="customer",
            name="region",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="customers",
                to="crm.region",
                verbose_name="region",
            ),
        ),
        migrations.AddIndex(
            model_name="customer",
            index=models.Index(
                condition=models.Q(("deleted_at__isnull", True)), fields=["region"], name="customer_alive_in_region"
            ),
        ),
    ]
