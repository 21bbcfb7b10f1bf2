"""What every company sign-in has: an address to go to, and a code that comes back and says who it was."""

from dataclasses import dataclass
from typing import Any, Protocol

from django.utils.functional import Promise


class NotVouchedFor(Exception):
    """The other side does not say who it is, or says it of somebody outside the company; the text is for logs."""


@dataclass(frozen=True)
class Attempt:
    """One way there and back, kept in the session meanwhile."""

    state: str  # comes back unchanged: the answer belongs to this browser
    nonce: str
    verifier: str
    back: str  # the address to come back to


@dataclass(frozen=True)
class Vouched:
    """Who it is, as the other side says: IDs there, the one for linking first; an e-mail only if it vouches for it."""

    subjects: tuple[str, ...]
    email: str = ""


class IdentityProvider(Protocol):
    """A company sign-in."""

    @property
    def label(self) -> str | Promise:
        """What the button calls it."""

    @property
    def code_name(self) -> str:
        """The parameter in which the code comes back."""

    def address(self, attempt: Attempt) -> str:
        """Where the browser goes."""

    def identify(self, code: str, attempt: Attempt) -> Vouched:
        """Exchange the code. Raises NotVouchedFor and AskingFailed."""


def needed(said: dict[str, Any], name: str) -> str:
    """A text that the answer must hold."""
    value = said.get(name)
    if not isinstance(value, str) or not value:
        raise NotVouchedFor(f"the answer holds no {name}")
    return value
