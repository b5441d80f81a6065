"""Tables of pages that are computed."""

from collections.abc import Callable, Iterable, Mapping, Sequence


def fill(page: str, tables: Mapping[str, Callable[[], str]]) -> str:
    """The page with its tables, each between `<!-- name -->` and `<!-- end -->`."""
    for name, table in tables.items():
        before, rest = page.split(f"<!-- {name} -->\n")
        page = f"{before}<!-- {name} -->\n{table()}<!-- end -->{rest.split('<!-- end -->', 1)[1]}"
    return page


def table(header: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
    """Numbers, which are in all columns but the first, are aligned to the right."""
    return _lines(header, ["---", *["--:"] * (len(header) - 1)], rows)


def text_table(header: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    return _lines(header, ["---"] * len(header), rows)


def _lines(header: Sequence[str], alignment: Sequence[str], rows: Iterable[Sequence[str | float]]) -> str:
    return "".join(f"| {' | '.join(map(_cell, line))} |\n" for line in (header, alignment, *rows))


def _cell(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:,.1f}".removesuffix(".0")
