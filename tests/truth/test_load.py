"""The load generator: what benchmarks and fault tests send."""

import json
from itertools import islice

from cauce.vocabulary.moment import DAY, parse_iso
from demo.load import batches, calls

UNTIL = parse_iso("2026-06-30T12:00:00Z")


def take(count, **more):
    return list(islice(calls(**({"people": 50, "seed": 7, "until": UNTIL} | more)), count))


def test_calls_are_json_with_distinct_ids_and_times_in_the_past():
    decoded = [json.loads(call) for call in take(2_000)]
    assert len({call["messageId"] for call in decoded}) == 2_000
    times = [parse_iso(call["timestamp"]) for call in decoded]
    assert UNTIL - 30 * DAY <= min(times) < max(times) < UNTIL
    assert {call["type"] for call in decoded} == {"page", "track", "identify"}
    assert len({call["userId"] for call in decoded if "userId" in call}) == 50


def test_repeats_are_byte_for_byte():
    made = take(5_000, repeats=0.1)
    distinct = set(made)
    assert 0.07 < 1 - len(distinct) / len(made) < 0.13
    assert len({json.loads(call)["messageId"] for call in distinct}) == len(distinct)


def test_the_same_seed_gives_the_same_load():
    assert take(100) == take(100)
    assert take(100) != take(100, seed=8)


def test_a_batch_holds_the_calls_of_the_stream():
    body = next(batches(size=3, people=50, seed=7, until=UNTIL))
    assert json.loads(body) == {"batch": [json.loads(call) for call in take(3)]}
