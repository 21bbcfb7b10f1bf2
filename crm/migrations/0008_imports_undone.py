"""An import says who has taken it back, and which changes did."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("crm", "0007_what_followers_need")]

    operations = [
        migrations.AddField(
            model_name="dataimport",
            name="undo_batch",
            field=models.UUIDField(help_text="The number that the changes of its undo share.", null=True),
        ),
        migrations.AddField(
            model_name="dataimport",
            name="undone_at",
            field=models.DateTimeField(null=True, verbose_name="undone at"),
        ),
        migrations.AddField(
            model_name="dataimport",
            name="undone_by",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="+",
                to=settings.AUTH_USER_MODEL,
                verbose_name="undone by",
            ),
        ),
    ]
