"""People and branch offices know since when they are where; delegations; sessions that can be ended; versions."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


def add_places(apps, _schema_editor):
    """Everyone has been where he is since he came, as far as anybody knows."""
    place = apps.get_model("crm", "PersonPlace")
    people = apps.get_model("crm", "User").objects.all()
    place.objects.bulk_create(
        place(person_id=one.pk, region_id=one.region_id, branch_id=one.branch_id, from_on=one.date_joined.date())
        for one in people.iterator()
    )


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0012_lists_counted_by_an_index"),
    ]

    operations = [
        migrations.CreateModel(
            name="BranchRegion",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_on", models.DateField(verbose_name="from")),
            ],
            options={
                "verbose_name": "move of a branch office",
                "verbose_name_plural": "moves of branch offices",
            },
        ),
        migrations.CreateModel(
            name="Delegation",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_on", models.DateField(verbose_name="first day")),
                ("until_on", models.DateField(verbose_name="last day")),
                ("reason", models.CharField(blank=True, max_length=200, verbose_name="reason")),
                ("ended_at", models.DateTimeField(editable=False, null=True, verbose_name="ended early")),
            ],
            options={
                "verbose_name": "delegation",
                "verbose_name_plural": "delegations",
            },
        ),
        migrations.CreateModel(
            name="PersonPlace",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("from_on", models.DateField(verbose_name="from")),
            ],
        ),
        migrations.RemoveIndex(
            model_name="linemember",
            name="member_user_line",
        ),
        migrations.AddField(
            model_name="branch",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="department",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="productline",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="region",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AddField(
            model_name="user",
            name="delegated_until",
            field=models.DateField(
                editable=False,
                help_text="The last day of what is delegated to the person; after it nobody looks for delegations.",
                null=True,
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="session_version",
            field=models.PositiveIntegerField(
                db_default=0,
                default=0,
                editable=False,
                help_text="Part of what a session must know: one more, and every session of the person has ended.",
            ),
        ),
        migrations.AddField(
            model_name="user",
            name="version",
            field=models.PositiveIntegerField(db_default=1, default=1, editable=False),
        ),
        migrations.AlterField(
            model_name="linemember",
            name="until_on",
            field=models.DateField(
                blank=True, help_text="The first day on which it holds no more.", null=True, verbose_name="until"
            ),
        ),
        migrations.AddIndex(
            model_name="linemember",
            index=models.Index(fields=["user", "line"], name="member_of_user"),
        ),
        migrations.AddField(
            model_name="branchregion",
            name="branch",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="regions",
                to="crm.branch",
                verbose_name="branch office",
            ),
        ),
        migrations.AddField(
            model_name="branchregion",
            name="region",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.region", verbose_name="region"
            ),
        ),
        migrations.AddField(
            model_name="delegation",
            name="giver",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="delegations_given",
                to=settings.AUTH_USER_MODEL,
                verbose_name="delegated by",
            ),
        ),
        migrations.AddField(
            model_name="delegation",
            name="receiver",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT,
                related_name="delegations_received",
                to=settings.AUTH_USER_MODEL,
                verbose_name="delegated to",
            ),
        ),
        migrations.AddField(
            model_name="personplace",
            name="branch",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.branch"
            ),
        ),
        migrations.AddField(
            model_name="personplace",
            name="person",
            field=models.ForeignKey(
                db_index=False,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="places",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="personplace",
            name="region",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.PROTECT, related_name="+", to="crm.region"
            ),
        ),
        migrations.AddConstraint(
            model_name="branchregion",
            constraint=models.UniqueConstraint(fields=("branch", "from_on"), name="branch_region_one_a_day"),
        ),
        migrations.AddConstraint(
            model_name="delegation",
            constraint=models.CheckConstraint(
                condition=models.Q(("until_on__gte", models.F("from_on"))),
                name="delegation_ends_after_it_starts",
                violation_error_message="The last day lies before the first.",
            ),
        ),
        migrations.AddConstraint(
            model_name="delegation",
            constraint=models.CheckConstraint(
                condition=models.Q(("giver", models.F("receiver")), _negated=True),
                name="delegation_is_not_to_oneself",
                violation_error_message="Nobody delegates to himself.",
            ),
        ),
        migrations.AddConstraint(
            model_name="personplace",
            constraint=models.UniqueConstraint(fields=("person", "from_on"), name="person_place_one_a_day"),
        ),
        migrations.RunPython(add_places, migrations.RunPython.noop),
    ]
