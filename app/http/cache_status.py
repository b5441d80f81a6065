"""The `Cache-Status` header (RFC 9211)."""

from app.cached_users import CacheOutcome


def cache_status(outcome: CacheOutcome) -> dict[str, str]:
    """The header: `momento; hit`, `momento; fwd=uri-miss; stored`, `momento; fwd=miss; detail=timeout`, ..."""
    return {"Cache-Status": _value(outcome)}


def _value(outcome: CacheOutcome) -> str:
    if outcome.bypassed:
        return f"{outcome.cache}; fwd=bypass"
    if outcome.hits == outcome.asked:
        return f"{outcome.cache}; hit"
    parts = [outcome.cache, "fwd=miss" if outcome.error else "fwd=uri-miss"]
    if outcome.stored:
        parts.append("stored")
    if outcome.error:
        parts.append(f"detail={outcome.error}")
    elif outcome.asked > 1:
        parts.append(f'detail="{outcome.hits} of {outcome.asked}"')
    return "; ".join(parts)
