"""Who is asking: one protocol, one file for each way to know, picked in `app.bootstrap`."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

ADMIN_SCOPE = "users:admin"
"""A token with this scope may write every user."""


class AuthError(Exception):
    """Whatever stops a caller.

    AuthError
     ├ TokenMissing       nobody said who is asking
     ├ InvalidToken       the token proves nothing; the message says why, and never quotes it
     ├ Forbidden          the caller is known, and may not
     └ IssuerUnavailable  the issuer's keys are not known and cannot be fetched: nothing is known about the token
    """


class TokenMissing(AuthError):
    """Nobody said who is asking."""


class InvalidToken(AuthError):
    """The token proves nothing; the message says why, and never quotes it."""


class Forbidden(AuthError):
    """The caller is known, and may not; the message says what."""


class IssuerUnavailable(AuthError):
    """The token cannot be checked for now; another try makes sense after `retry_after` seconds."""

    def __init__(self, retry_after: int) -> None:
        super().__init__("The issuer of tokens does not answer; try again.")
        self.retry_after = retry_after


@dataclass(frozen=True)
class Caller:
    """Who is asking. `user_id` is None if it is no user: a machine, or nobody in particular without an issuer."""

    user_id: str | None
    admin: bool

    def must_own(self, user_id: str) -> None:
        """Raises Forbidden unless the caller may write this user."""
        if not self.admin and self.user_id != user_id:
            owner = "no user" if self.user_id is None else f"user {self.user_id!r}"
            raise Forbidden(f"The token is of {owner}: to write this user takes the scope {ADMIN_SCOPE}.")

    def must_be_admin(self) -> None:
        """Raises Forbidden."""
        if not self.admin:
            raise Forbidden(f"This takes a token with the scope {ADMIN_SCOPE}.")


class Authenticator(Protocol):
    """Tells who is asking by a request's headers."""

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Raises TokenMissing, InvalidToken, IssuerUnavailable."""
        ...
