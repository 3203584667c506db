"""Random rules about the names and values that ``rule_worlds`` gives to people.

This module keeps away from DuckDB: Hypothesis holds strategies to the end of
the process, and with them all that their module refers to.
"""

from functools import cache

from hypothesis import strategies as st

from cauce.vocabulary.language import Rule, RuleError, parse
from cauce.vocabulary.language.tree import Operator
from cauce.vocabulary.moment import DAY, HOUR

LENGTHS = {"1 second": 1_000_000, "1 hour": HOUR, "1 day": DAY, "7 days": 7 * DAY, "30 days": 30 * DAY}

NUMBERS = [
    *("0", "-0", "-0.0", "1", "1.0", "1e0", "2", "100", "100.50", "1e2", "-5", "0.1", "1234567.891"),
    *("0.30000000000000004", "0.1234567895", "0.1234567885", "0.12345678950000000001"),
    *("0.12345678850000000001", "0.12345678849999999999", "9007199254740993", "9223372036854775807"),
    *("9223372036854775808", "18446744073709551616", "99999999999999999999999999999"),
    *("99999999999999999999999999999.9999999994", "-99999999999999999999999999999.5", "1e-400", "0e99"),
]
TIMES = [
    *("2026-01-01", "2026-01-01T10:00:00Z", "2025-12-31T10:00:00.000001Z", "2025-12-25T10:00:00+00:00"),
    *("2026-01-02T12:00:00+02:00", "2026-01-08T10:00:00.999999Z", "2026-01-01T10:00:00", "20260101T100000Z"),
    *("0000-01-01", "0001-01-01", "2026-02-30", "2026-01-01T24:00:00Z", "2026-01-01T10:00:60Z", "2026-1-1"),
    *("2026-01-01 10:00:00Z", "2026-01-01T10:00Z", "2026-W01-4", "2026-01-01T10:00:00.1234567Z", "2026"),
    *("9999-12-31T23:59:59-23:00", "2025-12-02T10:00:00Z", "2026-01-31T09:59:59.999999Z"),
]
PATHS = ("price", "café", "Kind", "a b", "a\\\\.b", "page_name", "user.tier", "user.tags", "user.café")
EVENTS = ["Order", "Café", "Page Viewed", "Kiosk"]
SOURCES = ["web", "shop", "it's"]


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "\\'") + "'"


numbers = st.sampled_from(NUMBERS)
texts = st.sampled_from(
    [
        "",
        "gold",
        "silver",
        "100",
        "café",
        "cafe\u0301",
        "Key",
        "😀",
        "a",
        "1e2",
        "it's",
        "2026-01-01",
        "'; DROP TABLE events; --",
        "\x01",
        "\x02",
        "[1]",
        "@",
        "a\\b",
        "sgold",
    ]
).map(_quoted)
simple = st.one_of(numbers, texts, st.sampled_from(["true", "false"]))
lists = st.lists(st.one_of(simple, st.just("[]"), st.just("[1, 'gold']")), max_size=3).map(
    lambda x: f"[{', '.join(x)}]"
)
constants = st.one_of(simple, simple, lists, texts.map(lambda t: f"{t} as time"))
times = st.sampled_from([t for t in TIMES if t.startswith("20")]).map(_quoted)
lengths = st.sampled_from(list(LENGTHS))
casts = st.sampled_from(["", "", "", "", " as number", " as text", " as time"])


@cache
def values(inside: bool, paths: tuple[str, ...] = PATHS) -> st.SearchStrategy[str]:
    """Traits, and inside ``where`` properties."""
    functions = st.sampled_from(["property", "property", "trait"] if inside else ["trait"])
    return st.builds(lambda f, p, c: f"({f}('{p}'){c})", functions, st.sampled_from(paths), casts)


@st.composite
def comparisons(draw: st.DrawFn, inside: bool, paths: tuple[str, ...] = PATHS) -> str:
    """A comparison that the static check lets through, mostly."""
    events = reductions() if paths is PATHS and (not inside or draw(st.integers(0, 5)) == 0) else None
    plain = events is None or draw(st.booleans())
    value = draw(values(inside, paths) if plain else events)
    others = [constants, constants, constants, values(inside, paths)]
    other = st.one_of(*others, *([] if events is None else [events]))
    operator = draw(st.sampled_from(list(Operator) + ["=", "!=", ">", ">=", "<", "<="] * 3))
    if operator in ("=", "!=", ">", ">=", "<", "<="):
        return f"{value} {operator} {draw(other)}"
    if operator in (Operator.ABSENT, Operator.EXISTS):
        return f"{value}.{operator}()"
    if operator in (Operator.BEFORE_DATE, Operator.AFTER_DATE):
        return f"{value}.{operator}({draw(st.one_of(times, times, values(inside, paths)))})"
    if operator in (Operator.WITHIN_LAST, Operator.WITHIN_NEXT, Operator.BEFORE_LAST, Operator.AFTER_NEXT):
        return f"{value}.{operator}({draw(lengths)})"
    several = operator in (
        Operator.CONTAINS,
        Operator.OMITS,
        Operator.STARTS_WITH,
        Operator.ENDS_WITH,
        Operator.ONE_OF,
        Operator.NONE_OF,
    )
    arguments = draw(st.lists(other, min_size=1, max_size=3 if several else 1))
    return f"{value}.{operator}({', '.join(arguments)})"


@st.composite
def counts(draw: st.DrawFn, reducer: st.SearchStrategy[str] = st.just("count()")) -> str:
    """The number of some events, or what another reducer makes of them."""
    parts = [f"event('{draw(st.sampled_from(EVENTS))}')"]
    if draw(st.booleans()):
        parts.append(f"where({draw(conditions(inside=True))})")
    if draw(st.integers(0, 3)) == 0:
        parts.append(
            f"sources({{exclude: [{', '.join(map(_quoted, draw(st.sets(st.sampled_from(SOURCES)))))}]}})"
        )
    window = draw(st.integers(0, 3))
    if window == 1:
        first, second = sorted(draw(st.lists(lengths, min_size=2, max_size=2, unique=True)), key=LENGTHS.get)
        parts.append(f"between({first}, {second})")
    elif window > 1:
        parts.append(f"within({draw(lengths)})")
    return ".".join([*parts, draw(reducer)])


def _reducer(name: str, path: str, of: str, least: int) -> str:
    if name == "mode":
        return f"mode('{path}'{'' if least == 2 else f', {least}'})"
    if name in ("first", "last", "unique"):
        return f"{name}('{path}')"
    if of == "string" and name in ("sum", "avg"):
        of = "number"
    return f"{name}(property('{path}'){f' as {of}' if of else ''})"


REDUCERS = ["sum", "avg", "min", "max", "first", "last", "mode", "unique"]


def reducers(paths: tuple[str, ...] = PATHS) -> st.SearchStrategy[str]:
    """The end of a chain that reads a property."""
    of = st.sampled_from(["", "", "number", "string"])
    return st.builds(_reducer, st.sampled_from(REDUCERS), st.sampled_from(paths), of, st.integers(1, 3))


def reductions() -> st.SearchStrategy[str]:
    """Any value of events, often converted."""
    plain = st.one_of(counts(), counts(reducers()), counts(reducers()))
    return st.one_of(plain, plain, st.builds("({}){}".format, plain, casts))


@st.composite
def count_conditions(draw: st.DrawFn) -> str:
    """A count compared with a small number: what most segments are made of."""
    operator = draw(st.sampled_from([">=", ">", "=", "!=", "<", "<="]))
    return f"{draw(counts())} {operator} {draw(st.sampled_from(['0', '1', '2', '3', '1.5', '-1']))}"


@cache
def conditions(inside: bool) -> st.SearchStrategy[str]:
    """Conditions of up to a few comparisons."""
    leaves = comparisons(inside) if inside else st.one_of(comparisons(inside), count_conditions())
    return st.recursive(
        leaves,
        lambda inner: st.one_of(
            st.builds("NOT ({})".format, inner),
            st.builds("({}) {} ({})".format, inner, st.sampled_from(["AND", "OR"]), inner),
        ),
        max_leaves=4,
    )


def accepted(text: str) -> Rule | None:
    """The rule, unless the static check refuses it."""
    try:
        return parse(text)
    except RuleError:
        return None


rules = conditions(inside=False).map(accepted).filter(lambda rule: rule is not None)
about_pairs = (
    comparisons(inside=True, paths=("Key",))
    .map(lambda comparison: accepted(f"event('Pair').where({comparison}).count() = 1"))
    .filter(lambda rule: rule is not None)
)
"""Rules about the people of ``rule_worlds.pairs``: one comparison each, most of them of two values."""
