"""Responses to unauthorised callers: 401 or 403 with a challenge (RFC 6750, 3), or 503 if the issuer is unavailable."""

from flask import Flask, Response

from app.auth import ADMIN_SCOPE, Forbidden, InvalidToken, IssuerUnavailable, TokenMissing
from app.http.problems import Problem

CHALLENGE = 'Bearer realm="better-together"'


def register(app: Flask) -> None:
    """Turn every AuthError into a problem."""
    app.register_error_handler(TokenMissing, _token_missing)
    app.register_error_handler(InvalidToken, _invalid_token)
    app.register_error_handler(Forbidden, _forbidden)
    app.register_error_handler(IssuerUnavailable, _issuer_unavailable)


def _token_missing(error: TokenMissing) -> Response:
    return Problem(401, str(error), headers={"WWW-Authenticate": CHALLENGE}).response()


def _invalid_token(error: InvalidToken) -> Response:
    challenge = f'{CHALLENGE}, error="invalid_token", error_description="{error}"'
    return Problem(401, str(error), headers={"WWW-Authenticate": challenge}).response()


def _forbidden(error: Forbidden) -> Response:
    challenge = f'{CHALLENGE}, error="insufficient_scope", scope="{ADMIN_SCOPE}"'
    return Problem(403, str(error), headers={"WWW-Authenticate": challenge}).response()


def _issuer_unavailable(error: IssuerUnavailable) -> Response:
    return Problem(503, str(error), headers={"Retry-After": str(error.retry_after)}).response()
