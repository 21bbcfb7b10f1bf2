"""Feishu 飞书: its sign-in page, the member's ID, and the company's e-mail."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.identity_providers.base import Attempt, NotVouchedFor, Vouched, needed
from crm.lib.outbound import ask


@dataclass(frozen=True)
class Feishu:
    """An application of the company's own: people of other companies cannot use it."""

    app_id: str
    app_secret: str
    entrance: str = "https://accounts.feishu.cn"
    api: str = "https://open.feishu.cn"
    code_name = "code"

    @property
    def label(self) -> str | Promise:
        """What the button calls it."""
        return _("Feishu")

    def address(self, attempt: Attempt) -> str:
        """Its sign-in page."""
        parameters = {
            "response_type": "code",
            "client_id": self.app_id,
            "redirect_uri": attempt.back,
            "state": attempt.state,
        }
        return f"{self.entrance}/open-apis/authen/v1/authorize?{urlencode(parameters)}"

    def identify(self, code: str, attempt: Attempt) -> Vouched:
        """The member's ID in the company, where the application may read it, and the one in the application.

        Of two e-mails the company gives one; the other is what a person writes about himself.
        """
        tokens = ask(
            f"{self.api}/open-apis/authen/v2/oauth/token",
            body={
                "grant_type": "authorization_code",
                "client_id": self.app_id,
                "client_secret": self.app_secret,
                "code": code,
                "redirect_uri": attempt.back,
            },
        )
        headers = {"Authorization": f"Bearer {needed(_good(tokens), 'access_token')}"}
        person = _good(ask(f"{self.api}/open-apis/authen/v1/user_info", headers=headers)).get("data")
        if not isinstance(person, dict):
            raise NotVouchedFor("Feishu says nothing of the person")
        subjects = (str(person.get("user_id") or ""), needed(person, "open_id"))
        email = person.get("enterprise_email")
        return Vouched(subjects=tuple(filter(None, subjects)), email=email if isinstance(email, str) else "")


def _good(said: dict[str, Any]) -> dict[str, Any]:
    if said.get("code", 0) != 0:
        raise NotVouchedFor(f"Feishu says {said.get('code')}")
    return said
