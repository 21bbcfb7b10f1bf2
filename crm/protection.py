"""What protects an account, for its page."""

from dataclasses import dataclass

from allauth.mfa.models import Authenticator

from crm.actions.second_factors import needs_second_factor
from crm.models import User


@dataclass(frozen=True)
class Protection:
    """The second factor of an account."""

    has_second_factor: bool
    codes_left: int
    must_have: bool


def protection_of(user: User) -> Protection:
    """Whether there is a second factor, how many recovery codes are left, and whether the role needs one."""
    kinds = {factor.type: factor for factor in Authenticator.objects.filter(user=user)}
    codes = kinds.get(Authenticator.Type.RECOVERY_CODES)
    return Protection(
        has_second_factor=Authenticator.Type.TOTP in kinds,
        codes_left=len(codes.wrap().get_unused_codes()) if codes else 0,
        must_have=needs_second_factor(user),
    )
