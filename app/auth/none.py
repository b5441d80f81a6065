"""No authentication, for the demo: every caller may write every user, and is who `X-User-Id` says."""

from collections.abc import Mapping

from app.auth import Caller


class NoAuthenticator:
    def caller(self, headers: Mapping[str, str]) -> Caller:
        return Caller(headers.get("X-User-Id"), admin=True)
