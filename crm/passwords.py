"""The rule for passwords that Django does not bring: none of the last ones."""

from typing import Any

from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _

from crm.actions.passwords import remember_password, was_used_before
from crm.models.former_password import KEPT


class NotUsedBefore:
    """A password is none of the person's last five. Django calls this for every door that sets one."""

    def validate(self, password: str, user: Any = None) -> None:
        """Refuse a password that the person has or had."""
        if user is not None and was_used_before(user=user, password=password):
            raise ValidationError(self.get_help_text(), code="password_used_before")

    def password_changed(self, password: str, user: Any = None) -> None:
        """Remember the new one; its person has just been saved with it."""
        if user is not None and user.has_usable_password():
            remember_password(user=user)

    def get_help_text(self) -> str:
        """The rule, in a sentence."""
        return _("Your last {count} passwords cannot be used again.").format(count=KEPT)
