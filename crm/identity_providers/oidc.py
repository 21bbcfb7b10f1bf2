"""OpenID Connect: the authorisation code flow with PKCE, a nonce and the provider's own description."""

import base64
import hashlib
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote_plus, urlencode

from django.core.cache import cache
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from crm.identity_providers.base import Attempt, NotVouchedFor, Vouched, needed
from crm.lib.outbound import ask

_DESCRIBED_FOR = 3600  # seconds
_LEEWAY = 120  # seconds that two clocks may differ


@dataclass(frozen=True)
class OpenIdConnect:
    """Any provider that describes itself under `/.well-known/openid-configuration`."""

    issuer: str
    client_id: str
    client_secret: str
    name: str = ""
    id_claim: str = "sub"
    code_name = "code"

    @property
    def label(self) -> str | Promise:
        """The company's own name for it."""
        return self.name or _("company account")

    def address(self, attempt: Attempt) -> str:
        """Where the browser goes."""
        challenge = base64.urlsafe_b64encode(hashlib.sha256(attempt.verifier.encode()).digest()).rstrip(b"=").decode()
        parameters = {
            "response_type": "code",
            "client_id": self.client_id,
            "redirect_uri": attempt.back,
            "scope": "openid profile email",
            "state": attempt.state,
            "nonce": attempt.nonce,
            "code_challenge": challenge,
            "code_challenge_method": "S256",
        }
        return f"{needed(self._description(), 'authorization_endpoint')}?{urlencode(parameters)}"

    def identify(self, code: str, attempt: Attempt) -> Vouched:
        """Exchange the code for tokens, and take from them who it is."""
        description = self._description()
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": attempt.back,
            "code_verifier": attempt.verifier,
        }
        tokens = ask(needed(description, "token_endpoint"), **self._with_secret(form, description))
        claims = self._checked(needed(tokens, "id_token"), attempt.nonce)
        more: dict[str, Any] = {}
        if "userinfo_endpoint" in description:
            bearer = {"Authorization": f"Bearer {needed(tokens, 'access_token')}"}
            more = ask(needed(description, "userinfo_endpoint"), headers=bearer)
            if more.get("sub") != claims["sub"]:
                raise NotVouchedFor("the userinfo is somebody else's")
        said = claims if "email" in claims else more  # address and its proof from one place
        email = said.get("email") if said.get("email_verified") in (True, "true") else ""
        return Vouched(subjects=(needed(more | claims, self.id_claim),), email=str(email or ""))

    def _with_secret(self, form: dict[str, str], description: dict[str, Any]) -> dict[str, Any]:
        """The form with the client's secret in it, or beside it in the header, as the provider wants it."""
        if "client_secret_post" in description.get("token_endpoint_auth_methods_supported", ["client_secret_basic"]):
            return {"form": form | {"client_id": self.client_id, "client_secret": self.client_secret}}
        pair = f"{quote_plus(self.client_id)}:{quote_plus(self.client_secret)}"
        return {"form": form, "headers": {"Authorization": f"Basic {base64.b64encode(pair.encode()).decode()}"}}

    def _description(self) -> dict[str, Any]:
        key = f"crm.oidc.{hashlib.sha256(self.issuer.encode()).hexdigest()}"
        known: dict[str, Any] | None = cache.get(key)
        if known is None:
            known = ask(f"{self.issuer}/.well-known/openid-configuration")
            if str(known.get("issuer", "")).rstrip("/") != self.issuer:
                raise NotVouchedFor("the description is another issuer's")
            cache.set(key, known, _DESCRIBED_FOR)
        return known

    def _checked(self, id_token: str, nonce: str) -> dict[str, Any]:
        """The claims. They came from the issuer itself over TLS, so that its signature adds nothing (Core 3.1.3.7)."""
        claims = _claims_of(id_token)
        audience = claims.get("aud")
        expires = claims.get("exp")
        checks = {
            "issuer": str(claims.get("iss", "")).rstrip("/") == self.issuer,
            "audience": self.client_id in (audience if isinstance(audience, list) else [audience]),
            "party": claims.get("azp", self.client_id) == self.client_id,
            "time": isinstance(expires, int | float) and expires > time.time() - _LEEWAY,
            "nonce": claims.get("nonce") == nonce,
            "subject": isinstance(claims.get("sub"), str) and bool(claims["sub"]),
        }
        if wrong := [name for name, is_right in checks.items() if not is_right]:
            raise NotVouchedFor(f"the token's {', '.join(wrong)} is not right")
        return claims


def _claims_of(id_token: str) -> dict[str, Any]:
    try:
        _head, payload, _signature = id_token.split(".")
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    except ValueError as error:
        raise NotVouchedFor("the token cannot be read") from error
    if not isinstance(claims, dict):
        raise NotVouchedFor("the token holds no claims")
    return claims
