"""Evaluates the expressions of GitHub's workflows, as far as this repository uses them.

https://docs.github.com/en/actions/reference/workflows-and-actions/expressions
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass

type Value = str | bool

TOKEN = re.compile(r"\s*(?:(?P<string>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w.-]*)|(?P<operator>==|!=|&&|\|\||[!(),]))")
PLACE = re.compile(r"\$\{\{(.*?)\}\}")
STATUS = {"success", "failure", "cancelled"}
UNSET = ("vars.", "secrets.")


def interpolated(text: object, contexts: Mapping[str, Value]) -> str:
    """The text with the value of each `${{ expression }}`."""
    return PLACE.sub(lambda found: _shown(Expression(found[1], contexts).value()), str(text))


def condition(text: object, contexts: Mapping[str, Value], *, failed: bool) -> bool:
    """Whether what has this `if` runs, after a step or job that `failed` or none. Without a function of the status in
    it, it also needs success.
    """
    whole = PLACE.fullmatch(str(text).strip())
    expression = Expression(whole[1] if whole else str(text), contexts, failed=failed)
    return bool(expression.value()) and (expression.asks_status or not failed)


def _shown(value: Value) -> str:
    return str(value).lower() if isinstance(value, bool) else value


@dataclass
class Expression:
    """`contexts` are the values of names such as `matrix.stack`. Variables and secrets that it lacks are empty, as on
    GitHub. Everything else that is unknown raises ValueError.
    """

    text: str
    contexts: Mapping[str, Value]
    failed: bool = False

    def __post_init__(self) -> None:
        self._tokens: list[str] = []
        at = 0
        while self.text[at:].strip():
            if not (token := TOKEN.match(self.text, at)):
                raise self._unknown(self.text[at:])
            self._tokens.append(token[0].strip())
            at = token.end()
        self.asks_status = not STATUS.isdisjoint(self._tokens)

    def value(self) -> Value:
        value = self._or()
        if self._tokens:
            raise self._unknown(self._tokens[0])
        return value

    def _or(self) -> Value:
        value = self._and()
        while self._take("||"):
            other = self._and()
            value = value or other
        return value

    def _and(self) -> Value:
        value = self._comparison()
        while self._take("&&"):
            other = self._comparison()
            value = value and other
        return value

    def _comparison(self) -> Value:
        value = self._operand()
        for operator in ("==", "!="):
            if self._take(operator):
                return self._equal(value, self._operand()) == (operator == "==")
        return value

    def _equal(self, one: Value, other: Value) -> bool:
        if type(one) is not type(other):
            raise self._unknown(f"{one!r} == {other!r}")
        return _shown(one).casefold() == _shown(other).casefold()

    def _operand(self) -> Value:
        if self._take("!"):
            return not self._operand()
        if self._take("("):
            value = self._or()
            self._must_take(")")
            return value
        token = self._tokens.pop(0) if self._tokens else "the end"
        if token.startswith("'"):
            return token[1:-1].replace("''", "'")
        return self._called(token) if self._take("(") else self._named(token)

    def _called(self, function: str) -> Value:
        arguments: list[Value] = []
        while not self._take(")"):
            arguments.append(self._or())
            self._take(",")
        match function, arguments:
            case "success", []:
                return not self.failed
            case "failure", []:
                return self.failed
            case "cancelled", []:
                return False
            case "startsWith", [str(text), str(start)]:
                return text.casefold().startswith(start.casefold())
            case _:
                raise self._unknown(f"{function}({', '.join(map(repr, arguments))})")

    def _named(self, name: str) -> Value:
        if name in ("true", "false"):
            return name == "true"
        if name not in self.contexts and not name.startswith(UNSET):
            raise self._unknown(name)
        return self.contexts.get(name, "")

    def _take(self, token: str) -> bool:
        found = self._tokens[:1] == [token]
        if found:
            del self._tokens[0]
        return found

    def _must_take(self, token: str) -> None:
        if not self._take(token):
            raise self._unknown(f"no {token}")

    def _unknown(self, what: str) -> ValueError:
        return ValueError(f"{self.text.strip()}: {what} is unknown")
