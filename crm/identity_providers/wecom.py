"""WeCom 企业微信: the QR page of a corporate application, and the member's ID in the company's directory."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.identity_providers.base import Attempt, NotVouchedFor, Vouched, needed
from crm.lib.outbound import ask

_MARGIN = 300  # seconds before its end in which a token is not used any more


@dataclass(frozen=True)
class WeCom:
    """An application of the company's own, with its agent number and secret."""

    corp_id: str
    agent_id: str
    secret: str
    entrance: str = "https://login.work.weixin.qq.com"
    api: str = "https://qyapi.weixin.qq.com"
    code_name = "code"

    @property
    def label(self) -> str | Promise:
        """What the button calls it."""
        return _("WeCom")

    def address(self, attempt: Attempt) -> str:
        """The page with the picture to scan."""
        parameters = {
            "login_type": "CorpApp",
            "appid": self.corp_id,
            "agentid": self.agent_id,
            "redirect_uri": attempt.back,
            "state": attempt.state,
        }
        return f"{self.entrance}/wwlogin/sso/login?{urlencode(parameters)}"

    def identify(self, code: str, attempt: Attempt) -> Vouched:
        """The member's ID; who is no member of the company has none."""
        query = {"access_token": self._token(), "code": code}
        said = _good(ask(f"{self.api}/cgi-bin/auth/getuserinfo", query=query))
        return Vouched(subjects=(needed(said, "userid"),))

    def _token(self) -> str:
        """The application's token. WeCom counts how often one asks for it, so that it is kept while it is good."""
        key = f"crm.wecom.{self.corp_id}.{self.agent_id}"
        token: str | None = cache.get(key)
        if token is None:
            query = {"corpid": self.corp_id, "corpsecret": self.secret}
            said = _good(ask(f"{self.api}/cgi-bin/gettoken", query=query))
            token = needed(said, "access_token")
            cache.set(key, token, max(int(said.get("expires_in", 0)) - _MARGIN, 1))
        return token


def _good(said: dict[str, Any]) -> dict[str, Any]:
    """An answer without error: WeCom answers 200 to everything."""
    if said.get("errcode", 0) != 0:
        raise NotVouchedFor(f"WeCom says {said.get('errcode')}")
    return said
