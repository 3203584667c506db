"""The comparisons that there are for the features of records, with what is believed of them before training.

The shares ``m`` written here are beliefs with the weight of a few pairs; training
learns them from the data. Fields that say the same are compared together, so that
they do not count twice: post code with place and state, given name with surname
where the two are swapped.
"""

from collections.abc import Iterator, Sequence

from cauce.match.model import Comparison, Level

_Levels = Sequence[tuple[str, str, float, str]]


def comparisons(features: Sequence[str]) -> list[Comparison]:
    """The comparisons for these features."""
    found = [*_names(features), *_areas(features)]
    streets = [name for name in features if name.startswith("street_")]
    places = [*streets, *(name for name in ("place",) if name in features)]
    for name in streets:
        found.append(_street(name, [other for other in places if other != name]))
    if "house_number" in features:
        found.append(_house_number())
    made = {
        "birth": _birth,
        "email": _email,
        "phone": _phone,
        "id": _id,
        "category": _category,
        "text": _text,
    }
    for name in features:
        kind, _, number = name.rpartition("_")
        if kind in made and number.isdigit():
            others = [other for other in features if other.rpartition("_")[0] == kind and other != name]
            found.append(made[kind](name, others))
    return found


def _comparison(name: str, own: Sequence[str], personal: bool, missing: str, levels: _Levels) -> Comparison:
    whole = sum(m for _, _, m, _ in levels)
    made = tuple(
        Level(label=label, sql=sql, m=m / whole, u=0.0, h=0.0, tf=tf) for label, sql, m, tf in levels
    )
    return Comparison(name=name, own=tuple(own), personal=personal, missing=missing, levels=made)


def _both(name: str) -> str:
    return f"{name}_l IS NULL OR {name}_r IS NULL"


def _same(name: str, other: str = "") -> str:
    return f"{name}_l = {other or name}_r"


def _alike(name: str, least: float, other: str = "") -> str:
    return f"jaro_winkler_similarity({name}_l, {other or name}_r) >= {least}"


def _edits(name: str, most: int) -> str:
    """At most so many edits. What costs nothing is asked first: lengths, and an equal beginning or end."""
    ends = f"({name}_l[1] = {name}_r[1] OR {name}_l[-1] = {name}_r[-1])"
    lengths = f"abs(length({name}_l) - length({name}_r)) <= {most}"
    return f"({lengths} AND {ends} AND damerau_levenshtein({name}_l, {name}_r) <= {most})"


def _longer(name: str, length: int) -> str:
    return f"least(length({name}_l), length({name}_r)) >= {length}"


def _names(features: Sequence[str]) -> Iterator[Comparison]:
    """Given name and surname. Where the two are swapped, the pair of them counts once, as a given name."""
    both = {"given", "surname"} <= set(features)
    swap = (
        f"(given_l[1] = surname_r[1] AND surname_l[1] = given_r[1] AND {_alike('given', 0.9, 'surname')}"
        f" AND {_alike('surname', 0.9, 'given')} AND NOT (given_l = given_r AND surname_l = surname_r))"
    )
    half = "(given_l IS NULL OR given_r IS NULL) AND (surname_l = given_r OR given_l = surname_r)"
    if "given" in features:
        levels = [
            ("equal", _same("given"), 0.75, "given"),
            ("one slip", f"{_longer('given', 3)} AND {_edits('given', 1)}", 0.08, ""),
            ("alike", _alike("given", 0.88), 0.06, ""),
            (
                "a part or an initial",
                "starts_with(given_l, given_r) OR starts_with(given_r, given_l)",
                0.02,
                "",
            ),
            ("rather alike", _alike("given", 0.75), 0.02, ""),
            ("other", "ELSE", 0.05, ""),
        ]
        if both:
            levels.insert(1, ("swapped with the surname", swap, 0.04, ""))
        yield _comparison("given", ["given"], True, _both("given"), levels)
    if "surname" in features:
        words = (
            "surname_first_l = surname_first_r OR surname_last_l = surname_last_r"
            " OR surname_first_l = surname_last_r OR surname_last_l = surname_first_r"
        )
        levels = [
            ("equal", _same("surname"), 0.8, "surname"),
            ("one slip", f"{_longer('surname', 3)} AND {_edits('surname', 1)}", 0.08, ""),
            ("alike", _alike("surname", 0.9), 0.05, ""),
            (
                "a word of it",
                f"(surname_first_l <> surname_l OR surname_first_r <> surname_r) AND ({words})",
                0.03,
                "",
            ),
            ("rather alike", _alike("surname", 0.78), 0.02, ""),
            ("other", "ELSE", 0.05, ""),
        ]
        missing = _both("surname")
        if both:
            levels.insert(1, ("in place of the given name", half, 0.01, ""))
            missing = f"({missing}) OR {swap}"
        yield _comparison("surname", ["surname", "surname_first", "surname_last"], False, missing, levels)


def _areas(features: Sequence[str]) -> Iterator[Comparison]:
    """Post code, place and state together: the first says the others."""
    code, place = "post_code" in features, "place" in features
    states = [name for name in features if name.startswith("state_")]
    if code and place:
        near = f"({_edits('post_code', 1)})"
        levels = [
            (
                "post code and place equal",
                "post_code_l = post_code_r AND place_l = place_r",
                0.6,
                "post_code",
            ),
            (
                "post code equal, place alike",
                f"post_code_l = post_code_r AND {_alike('place', 0.85)}",
                0.1,
                "post_code",
            ),
            ("post code equal", _same("post_code"), 0.08, "post_code"),
            ("place equal, post code alike", f"place_l = place_r AND {near}", 0.05, "place"),
            ("place equal", _same("place"), 0.05, "place"),
            ("place alike", _alike("place", 0.88), 0.04, ""),
            ("post code alike", near, 0.02, ""),
            ("other", "ELSE", 0.06, ""),
        ]
        missing = "(post_code_l IS NULL OR post_code_r IS NULL) AND (place_l IS NULL OR place_r IS NULL)"
        yield _comparison("area", ["post_code", "place"], False, missing, levels)
    elif place:
        yield _words("place", 0.85, 0.7)
    elif code:
        levels = [
            ("equal", _same("post_code"), 0.85, "post_code"),
            ("one slip", _edits("post_code", 1), 0.06, ""),
            ("other", "ELSE", 0.09, ""),
        ]
        yield _comparison("area", ["post_code"], False, _both("post_code"), levels)
    for name in states:
        levels = [("equal", _same(name), 0.9, name), ("other", "ELSE", 0.1, "")]
        yield _comparison(name, [name], False, _both(name), levels)


def _words(name: str, alike: float, rather: float, personal: bool = False) -> Comparison:
    levels = [
        ("equal", _same(name), 0.75, name),
        ("one slip", f"{_longer(name, 4)} AND {_edits(name, 1)}", 0.08, ""),
        ("alike", _alike(name, alike), 0.06, ""),
        ("rather alike", _alike(name, rather), 0.04, ""),
        ("other", "ELSE", 0.07, ""),
    ]
    return _comparison(name, [name], personal, _both(name), levels)


def _street(name: str, others: Sequence[str]) -> Comparison:
    """A line of an address; lines may stand in one another's columns."""
    crossed = " OR ".join(f"{_same(name, other)} OR {_same(other, name)}" for other in others)
    levels = [
        ("equal", _same(name), 0.75, name),
        ("one slip", f"{_longer(name, 4)} AND {_edits(name, 1)}", 0.06, ""),
        ("alike", _alike(name, 0.9), 0.07, ""),
        ("rather alike", _alike(name, 0.8), 0.02, ""),
        ("other", "ELSE", 0.07, ""),
    ]
    if crossed:
        levels.insert(1, ("in another column", f"({crossed})", 0.03, ""))
    return _comparison(name, [name], False, _both(name), levels)


def _house_number() -> Comparison:
    levels = [
        ("equal", _same("house_number"), 0.85, "house_number"),
        ("one slip", f"{_longer('house_number', 2)} AND {_edits('house_number', 1)}", 0.06, ""),
        ("other", "ELSE", 0.09, ""),
    ]
    return _comparison("house_number", ["house_number"], False, _both("house_number"), levels)


def _birth(name: str, _others: Sequence[str]) -> Comparison:
    swapped = (
        f"{name}_l[1:4] = {name}_r[1:4] AND {name}_l[5:6] = {name}_r[7:8] AND {name}_l[7:8] = {name}_r[5:6]"
    )
    levels = [
        ("equal", _same(name), 0.8, name),
        ("one slip, or day and month swapped", f"({_edits(name, 1)}) OR ({swapped})", 0.08, ""),
        ("two slips", _edits(name, 2), 0.04, ""),
        (
            "day and month, or year and month, equal",
            f"{name}_l[5:8] = {name}_r[5:8] OR {name}_l[1:6] = {name}_r[1:6]",
            0.02,
            "",
        ),
        ("year equal", f"{name}_l[1:4] = {name}_r[1:4]", 0.02, ""),
        ("other", "ELSE", 0.04, ""),
    ]
    return _comparison(name, [name], True, _both(name), levels)


def _email(name: str, others: Sequence[str]) -> Comparison:
    left, right = f"split_part({name}_l, '@', 1)", f"split_part({name}_r, '@', 1)"
    levels = [
        ("equal", _same(name), 0.7, name),
        ("two slips", f"{_longer(name, 8)} AND {_edits(name, 2)}", 0.12, ""),
        ("the part before @ equal", f"{left} = {right} AND length({left}) >= 3", 0.05, ""),
        ("alike before @", f"jaro_winkler_similarity({left}, {right}) >= 0.92", 0.03, ""),
        ("other", "ELSE", 0.1, ""),
    ]
    return _comparison(name, [name], True, _both(name), _crossed(name, others, levels))


def _crossed(name: str, others: Sequence[str], levels: list[tuple[str, str, float, str]]) -> _Levels:
    """The levels with one more for a value that stands in another column of its kind."""
    if others:
        crossed = " OR ".join(f"{_same(name, other)} OR {_same(other, name)}" for other in others)
        levels.insert(1, ("in another column", f"({crossed})", 0.04, ""))
    return levels


def _phone(name: str, others: Sequence[str]) -> Comparison:
    levels = [
        ("equal", _same(name), 0.75, name),
        ("one slip", _edits(name, 1), 0.07, ""),
        ("two slips", _edits(name, 2), 0.03, ""),
        ("other", "ELSE", 0.15, ""),
    ]
    return _comparison(name, [name], False, _both(name), _crossed(name, others, levels))


def _id(name: str, _others: Sequence[str]) -> Comparison:
    levels = [
        ("equal", _same(name), 0.85, name),
        ("one slip", f"{_longer(name, 5)} AND {_edits(name, 1)}", 0.05, ""),
        ("two slips", f"{_longer(name, 6)} AND {_edits(name, 2)}", 0.03, ""),
        ("other", "ELSE", 0.07, ""),
    ]
    return _comparison(name, [name], True, _both(name), levels)


def _category(name: str, _others: Sequence[str]) -> Comparison:
    levels = [("equal", _same(name), 0.9, name), ("other", "ELSE", 0.1, "")]
    return _comparison(name, [name], True, _both(name), levels)


def _text(name: str, _others: Sequence[str]) -> Comparison:
    return _words(name, 0.9, 0.75)
