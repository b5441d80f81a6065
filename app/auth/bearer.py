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

REASONS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "The token has expired.",
    jwt.ImmatureSignatureError: "The token is not valid yet.",
    jwt.InvalidIssuerError: "The token is of another issuer.",
    jwt.InvalidAudienceError: "The token is for another audience.",
    jwt.InvalidAlgorithmError: "The token is not signed with its key's algorithm.",
    jwt.InvalidSignatureError: "The token's signature is wrong.",
    jwt.MissingRequiredClaimError: f"The token must have {', '.join(REQUIRED[:-1])} and {REQUIRED[-1]}.",
}
MALFORMED = "The token is malformed."


class BearerAuthenticator:
    """The caller is the token's `sub`; the scope `users:admin` makes an admin."""

    def __init__(self, settings: AuthSettings, keys: SigningKeys) -> None:
        self._settings = settings
        self._keys = keys

    def caller(self, headers: Mapping[str, str]) -> Caller:
        scheme, _, token = headers.get("Authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise TokenMissing("This takes a bearer token.")
        claims = self._claims(token.strip())
        user_id, scope = claims["sub"], claims.get("scope", "")
        if not is_user_id(user_id):
            raise InvalidToken("The token's sub can not be a user's id.")
        return Caller(user_id, admin=isinstance(scope, str) and ADMIN_SCOPE in scope.split())

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
