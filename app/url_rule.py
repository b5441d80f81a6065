"""Flask's URL rules, without the part that the app does not use."""

from collections.abc import Callable
from typing import Any

import werkzeug.routing


class Rule(werkzeug.routing.Rule):
    """Compiles the functions that build URLs when a URL is built: at the start, it would take most of the time."""

    def _compile_builder(self, append_unknown: bool = True) -> Callable[..., tuple[str, str]]:
        compiled = super()._compile_builder

        def build(rule: Rule, /, **values: Any) -> tuple[str, str]:
            return compiled(append_unknown)(rule, **values)

        return build
