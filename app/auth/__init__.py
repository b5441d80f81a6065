"""Authentication: one protocol, one file per implementation, chosen in `app.bootstrap`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

ADMIN_SCOPE = "users:admin"
"""A token with this scope may write every user."""


class AuthError(Exception):
    """Base of the reasons to refuse a caller.

    AuthError
     ├ TokenMissing       the request has no token
     ├ InvalidToken       the token is not valid
     ├ Forbidden          the token is valid, but does not allow the request
     └ IssuerUnavailable  the token cannot be checked, because the issuer's keys cannot be fetched
    """


class TokenMissing(AuthError):
    """The request has no token."""


class InvalidToken(AuthError):
    """The token is not valid; the message says why and never quotes it."""


class Forbidden(AuthError):
    """The token is valid, but does not allow the request; the message says what would."""


class IssuerUnavailable(AuthError):
    """The token cannot be checked now; the client may retry after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("The issuer of tokens does not answer; try again.")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Caller:
    """Who sends the request. `user_id` is None for a machine, and for an anonymous caller if there is no issuer."""

    user_id: str | None
    admin: bool

    def must_own(self, user_id: str) -> None:
        """Raises Forbidden unless the caller may write this user."""
        if not self.admin and self.user_id != user_id:
            owner = "no user" if self.user_id is None else f"user {self.user_id!r}"
            raise Forbidden(f"The token belongs to {owner}: to write this user, it needs the scope {ADMIN_SCOPE}.")

    def must_be_admin(self) -> None:
        """Raises Forbidden unless the caller is an admin."""
        if not self.admin:
            raise Forbidden(f"This request needs a token with the scope {ADMIN_SCOPE}.")


class Authenticator(Protocol):
    """Identifies the caller from a request's headers."""

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Raises TokenMissing, InvalidToken, IssuerUnavailable."""
        ...
