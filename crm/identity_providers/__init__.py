"""The company's own sign-in, by OpenID Connect, WeCom, DingTalk or Feishu: what the environment configures."""

from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings

from crm.identity_providers.base import IdentityProvider
from crm.identity_providers.dingtalk import DingTalk
from crm.identity_providers.feishu import Feishu
from crm.identity_providers.oidc import OpenIdConnect
from crm.identity_providers.wecom import WeCom

_MADE_BY: Mapping[str, Callable[[dict[str, str]], IdentityProvider]] = {
    "oidc": lambda values: OpenIdConnect(**values),
    "wecom": lambda values: WeCom(values["WECOM_CORP_ID"], values["WECOM_AGENT_ID"], values["WECOM_SECRET"]),
    "dingtalk": lambda values: DingTalk(values["DINGTALK_CLIENT_ID"], values["DINGTALK_CLIENT_SECRET"]),
    "feishu": lambda values: Feishu(values["FEISHU_APP_ID"], values["FEISHU_APP_SECRET"]),
}


def configured_providers() -> dict[str, IdentityProvider]:
    """Those that are configured, by the code that addresses and company accounts carry."""
    known: dict[str, Any] = settings.COMPANY_SIGN_IN
    return {code: make(known[code]) for code, make in _MADE_BY.items() if known.get(code)}
