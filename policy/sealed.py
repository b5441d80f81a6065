"""Lets rules see which values are secret: pulumi-policy 1.21 removes the engine's mark before it calls them."""

from typing import Any, cast

from pulumi_policy import deserialize, policy, proxy


class Sealed(str):
    """The text of a Pulumi secret, empty if it is not known yet. It must not appear in messages."""


def keep_seals() -> None:
    """Turn every string inside a secret into a Sealed, in everything that the engine sends to this process."""
    policy.deserialize_properties = _deserialize_properties  # pyright: ignore[reportPrivateImportUsage]


def _deserialize_properties(props: dict[str, Any], proxy_secrets: bool = False) -> dict[str, Any]:
    return deserialize.deserialize_properties(_marked(props), proxy_secrets)


def _marked(value: Any, secret: bool = False) -> Any:
    if isinstance(value, dict):
        items = cast("dict[str, Any]", value)
        secret = secret or items.get(deserialize.SPECIAL_SIG_KEY) == deserialize.SPECIAL_SECRET_SIG
        return {
            key: item if key == deserialize.SPECIAL_SIG_KEY else _marked(item, secret) for key, item in items.items()
        }
    if isinstance(value, list):
        return [_marked(item, secret) for item in cast("list[Any]", value)]
    if isinstance(value, str) and secret:
        return Sealed("" if value == proxy.UNKNOWN_STRING_VALUE else value)
    return value
