"""Sign-ins and security, sessions, former passwords, and whose company account is whose."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("crm", "0014_merged_customers"),
    ]

    operations = [
        migrations.CreateModel(
            name="CompanyAccount",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "provider",
                    models.CharField(
                        choices=[
                            ("oidc", "Company account (OpenID Connect)"),
                            ("wecom", "WeCom"),
                            ("dingtalk", "DingTalk"),
                            ("feishu", "Feishu"),
                        ],
                        max_length=20,
                        verbose_name="sign-in",
                    ),
                ),
                (
                    "subject",
                    models.CharField(
                        help_text="The account's ID there: a refused sign-in shows it.",
                        max_length=200,
                        verbose_name="account there",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "company account",
                "verbose_name_plural": "company accounts",
                "constraints": [
                    models.UniqueConstraint(fields=("provider", "subject"), name="company_account_belongs_to_one"),
                    models.UniqueConstraint(fields=("user", "provider"), name="company_account_one_of_a_kind"),
                ],
            },
        ),
        migrations.CreateModel(
            name="FormerPassword",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("encoded", models.CharField(max_length=128)),
                ("at", models.DateTimeField()),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to=settings.AUTH_USER_MODEL
                    ),
                ),
            ],
            options={
                "verbose_name": "former password",
                "verbose_name_plural": "former passwords",
                "indexes": [models.Index(fields=["user", "-at"], name="former_password_of_whom")],
            },
        ),
        migrations.CreateModel(
            name="OpenSession",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("key", models.CharField(editable=False, max_length=40)),
                (
                    "way",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("password", "password"),
                            ("app_code", "password and code from the app"),
                            ("recovery_code", "password and recovery code"),
                            ("oidc", "company account"),
                            ("wecom", "WeCom"),
                            ("dingtalk", "DingTalk"),
                            ("feishu", "Feishu"),
                        ],
                        max_length=20,
                        verbose_name="way",
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True, verbose_name="address")),
                ("device", models.CharField(blank=True, max_length=200, verbose_name="device")),
                ("signed_in_at", models.DateTimeField(verbose_name="signed in at")),
                ("last_seen_at", models.DateTimeField(verbose_name="last seen at")),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "session",
                "verbose_name_plural": "sessions",
                "constraints": [models.UniqueConstraint(fields=("key",), name="open_session_key_unique")],
            },
        ),
        migrations.CreateModel(
            name="SecurityEvent",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                ("at", models.DateTimeField(verbose_name="at")),
                (
                    "what",
                    models.CharField(
                        choices=[
                            ("signed_in", "Signed in"),
                            ("wrong_password", "Wrong password"),
                            ("wrong_code", "Wrong code"),
                            ("locked", "Refused: too many tries"),
                            ("closed", "Refused: the account is closed"),
                            ("unknown", "Refused: not known here"),
                            ("password_changed", "Password changed"),
                            ("password_reset", "Password set anew by e-mail"),
                            ("second_factor_on", "Two-step sign-in switched on"),
                            ("second_factor_off", "Two-step sign-in switched off"),
                            ("recovery_codes", "New recovery codes made"),
                            ("sessions_ended", "Sessions ended"),
                        ],
                        max_length=20,
                        verbose_name="what",
                    ),
                ),
                (
                    "name",
                    models.CharField(
                        blank=True,
                        help_text="Of names that belong to nobody the beginning alone: it may be a password in the wrong box.",
                        max_length=150,
                        verbose_name="name given",
                    ),
                ),
                (
                    "way",
                    models.CharField(
                        blank=True,
                        choices=[
                            ("password", "password"),
                            ("app_code", "password and code from the app"),
                            ("recovery_code", "password and recovery code"),
                            ("oidc", "company account"),
                            ("wecom", "WeCom"),
                            ("dingtalk", "DingTalk"),
                            ("feishu", "Feishu"),
                        ],
                        max_length=20,
                        verbose_name="way",
                    ),
                ),
                ("address", models.GenericIPAddressField(null=True, verbose_name="address")),
                (
                    "device",
                    models.CharField(
                        blank=True, help_text="As the browser calls itself.", max_length=200, verbose_name="device"
                    ),
                ),
                (
                    "by",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="done by",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "security event",
                "verbose_name_plural": "sign-ins and security",
                "indexes": [
                    models.Index(fields=["user", "-at"], name="security_event_of_whom"),
                    models.Index(fields=["at"], name="security_event_when"),
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("what", "signed_in"), _negated=True), ("user__isnull", False), _connector="OR"
                        ),
                        name="security_event_signed_in_is_somebody",
                    )
                ],
            },
        ),
    ]
