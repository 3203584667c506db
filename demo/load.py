"""Load: endless plausible calls of the tracking API as JSON bytes, for benchmarks and fault tests.

No truth and no stories, only size: any number of people, random UUIDs as ids,
written with string formatting because the generator must outrun what it measures.
"""

import random
from collections.abc import Iterator

from cauce.vocabulary.moment import DAY, Moment, to_iso

_SKUS = ("B-100", "B-110", "F-200", "G-300", "M-400", "C-500")
_MINUTE = 60_000_000


def calls(*, people: int, seed: int, until: Moment, days: int = 30, repeats: float = 0.0) -> Iterator[bytes]:
    """An endless stream of calls, each a JSON object with ``type`` and a random ``messageId``.

    Person n has the customer number ``u<n>``, an e-mail address and two cookies;
    two calls of three are anonymous. Times are random within the ``days`` before
    ``until``, at whole minutes. A share of ``repeats`` are one of the last 1,000 calls
    again, byte for byte.
    """
    rng = random.Random(seed)
    minutes = [to_iso(Moment(until - number * _MINUTE)) for number in range(1, days * DAY // _MINUTE + 1)]
    recent: list[bytes] = []
    while True:
        if recent and rng.random() < repeats:
            yield recent[int(rng.random() * len(recent))]
            continue
        call = _call(rng, int(rng.random() * people), minutes[int(rng.random() * len(minutes))])
        if len(recent) < 1_000:
            recent.append(call)
        else:
            recent[int(rng.random() * 1_000)] = call
        yield call


def batches(
    *, size: int, people: int, seed: int, until: Moment, days: int = 30, repeats: float = 0.0
) -> Iterator[bytes]:
    """An endless stream of bodies for ``POST /v1/batch`` with ``size`` calls each."""
    stream = calls(people=people, seed=seed, until=until, days=days, repeats=repeats)
    while True:
        yield b'{"batch":[' + b",".join(next(stream) for _ in range(size)) + b"]}"


def _call(rng: random.Random, person: int, time: str) -> bytes:
    """One call of a person: six kinds, the rare ones name her."""
    key = uuid(rng)
    cookie = f"{person:08x}-c0de-4000-a000-{person % 2 + (rng.random() < 0.3):012x}"
    head = f'{{"messageId":"{key}","timestamp":"{time}","anonymousId":"{cookie}"'
    kind = rng.random()
    sku = _SKUS[int(rng.random() * 6)]
    if kind < 0.35:
        tail = f',"type":"page","name":"Home","properties":{{"path":"/{sku}","title":"Shop"}}}}'
    elif kind < 0.65:
        tail = (
            f',"type":"track","event":"Product Viewed","properties":{{"product_id":"{sku}","price":18.90}}}}'
        )
    elif kind < 0.80:
        tail = (
            f',"type":"track","userId":"u{person}","event":"Product Added",'
            f'"properties":{{"product_id":"{sku}","price":18.90}}}}'
        )
    elif kind < 0.90:
        cents = int(rng.random() * 30_000) + 500
        tail = (
            f',"type":"track","userId":"u{person}","event":"Order Completed","properties":'
            f'{{"order_id":"O-{key[:8]}","revenue":{cents // 100}.{cents % 100:02d},"currency":"EUR"}}}}'
        )
    else:
        tail = (
            f',"type":"identify","userId":"u{person}","traits":{{"email":"person.{person}@mail.example",'
            f'"firstName":"P{person}","plan":"{sku}"}}}}'
        )
    return (head + tail).encode()


def uuid(rng: random.Random) -> str:
    """A random id in the form of a UUID of version 4."""
    text = f"{rng.getrandbits(128):032x}"
    return f"{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:]}"
