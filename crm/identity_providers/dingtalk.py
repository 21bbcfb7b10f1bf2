"""DingTalk 钉钉: its sign-in page, and the member's ID in the company's directory."""

from dataclasses import dataclass
from urllib.parse import urlencode

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.identity_providers.base import Attempt, NotVouchedFor, Vouched, needed
from crm.lib.outbound import ask

_STAFF = 0  # a contact that is the company's own; 1 are people from outside


@dataclass(frozen=True)
class DingTalk:
    """An application of the company's own."""

    client_id: str
    client_secret: str
    entrance: str = "https://login.dingtalk.com"
    api: str = "https://api.dingtalk.com"
    old_api: str = "https://oapi.dingtalk.com"
    code_name = "authCode"

    @property
    def label(self) -> str | Promise:
        """What the button calls it."""
        return _("DingTalk")

    def address(self, attempt: Attempt) -> str:
        """Its sign-in page."""
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": attempt.back,
            "scope": "openid",
            "state": attempt.state,
            "prompt": "consent",
        }
        return f"{self.entrance}/oauth2/auth?{urlencode(parameters)}"

    def identify(self, code: str, attempt: Attempt) -> Vouched:
        """The member's ID. Anybody may have a DingTalk account: only the company's directory says who belongs to it."""
        own = ask(
            f"{self.api}/v1.0/oauth2/userAccessToken",
            body={
                "clientId": self.client_id,
                "clientSecret": self.client_secret,
                "code": code,
                "grantType": "authorization_code",
            },
        )
        headers = {"x-acs-dingtalk-access-token": needed(own, "accessToken")}
        person = ask(f"{self.api}/v1.0/contact/users/me", headers=headers)
        return Vouched(subjects=(self._member(needed(person, "unionId")),))

    def _member(self, union_id: str) -> str:
        credentials = {"appKey": self.client_id, "appSecret": self.client_secret}
        token = needed(ask(f"{self.api}/v1.0/oauth2/accessToken", body=credentials), "accessToken")
        address = f"{self.old_api}/topapi/user/getbyunionid"
        said = ask(address, query={"access_token": token}, form={"unionid": union_id})
        found = said.get("result")
        if said.get("errcode") != 0 or not isinstance(found, dict) or found.get("contact_type", _STAFF) != _STAFF:
            raise NotVouchedFor(f"DingTalk knows no member of the company ({said.get('errcode')})")
        return needed(found, "userid")
