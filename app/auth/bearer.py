"""Bearer tokens (RFC 6750) that are JWTs signed by one issuer (RFC 7519, RFC 8725)."""

from collections.abc import Mapping
from typing import Any

import jwt

from app.auth import ADMIN_SCOPE, Caller, InvalidToken, TokenMissing
from app.auth.keys import SigningKeys
from app.model import is_user_id
from app.settings import AuthSettings

CLOCK_SKEW_SECONDS = 30
REQUIRED = ("iss", "aud", "exp", "sub")
SCOPES = ("scope", "scp")
"""The claims that hold scopes: RFC 8693's `scope` is a string, Entra ID's `scp` too, and Okta's `scp` is a list."""

REASONS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidIssuerError: "The token is from another issuer.",
    jwt.InvalidAudienceError: "The token is for another audience.",
    jwt.InvalidAlgorithmError: "The token is not signed with its key's algorithm.",
    jwt.InvalidSignatureError: "The token's signature is wrong.",
    jwt.MissingRequiredClaimError: f"The token must have {', '.join(REQUIRED[:-1])} and {REQUIRED[-1]}.",
}
MALFORMED = "The token is malformed."


class BearerAuthenticator:
    """Takes the token's `sub` as the caller's user id.

    A `sub` that cannot be a user's id, such as a machine's `abc@clients`, makes a caller without one. The scope
    `users:admin` makes either an admin.
    """

    def __init__(self, settings: AuthSettings, keys: SigningKeys) -> None:
        self._settings = settings
        self._keys = keys

    def caller(self, headers: Mapping[str, str]) -> Caller:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise TokenMissing("This request needs a bearer token.")
        claims = self._claims(token.strip())
        sub = claims["sub"]
        return Caller(sub if is_user_id(sub) else None, admin=any(_has_admin(claims.get(name)) for name in SCOPES))

    def _claims(self, token: str) -> dict[str, Any]:
        try:
            key = self._keys.find(str(jwt.get_unverified_header(token).get("kid")))
            if key is None:
                raise InvalidToken("The token is not signed with a key of the issuer.")
            return jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                issuer=self._settings.issuer,
                audience=self._settings.audience,
                leeway=CLOCK_SKEW_SECONDS,
                options={"require": list(REQUIRED), "enforce_minimum_key_length": True},
            )
        except jwt.PyJWTError as error:
            raise InvalidToken(REASONS.get(type(error), MALFORMED)) from None
        except UnicodeError:  # bytes in the token's header that are not UTF-8, which PyJWT does not catch
            raise InvalidToken(MALFORMED) from None


def _has_admin(scopes: object) -> bool:
    match scopes:
        case str():
            return ADMIN_SCOPE in scopes.split()
        case list():
            return ADMIN_SCOPE in scopes
        case _:
            return False
