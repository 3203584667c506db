"""The index of seen ids: nothing is forgotten, whatever is flushed, merged, kept and adopted."""

import random
from pathlib import Path

import numpy as np
import pytest

from cauce.eventlog.content import content_print
from cauce.eventlog.dedup import Filter, Seen
from cauce.eventlog.runs import from_dict, merge, open_run, range_name, run_path, to_merge, write_run


def prints(count: int, seed: int) -> dict[int, bytes]:
    rng = random.Random(seed)
    return {rng.getrandbits(64): rng.randbytes(8) for _ in range(count)}


def unknown(count: int) -> list[int]:
    return list(prints(count, 987))


@pytest.mark.parametrize("size", [1, 300, 5_000, 40_000])
def test_everything_added_is_found_with_its_content(size: int) -> None:
    seen, expected = Seen(), {}
    for number in range(400_000 // max(size, 2_000)):
        new = prints(size, number)
        expected |= new
        seen.add(new, len(expected))
        wanted = [*random.Random(number).sample(sorted(new), min(size, 50)), *unknown(50)]
        assert seen.find(wanted) == {one: new[one] for one in wanted if one in new}
    seen.close()
    assert seen.find(list(expected)) == expected
    assert seen.find(unknown(1_000)) == {}
    assert seen.known == len(expected)


def test_runs_are_merged_in_the_background_and_memory_stays_small() -> None:
    seen, count = Seen(), 0
    for number in range(30):
        count += 33_000
        seen.add(prints(33_000, number), count)
    seen.close()
    assert len(seen._runs) <= 9
    assert seen.nbytes / count < 25


def test_adopted_runs_replace_those_in_memory() -> None:
    seen = Seen()
    first, second, third = prints(40_000, 1), prints(40_000, 2), prints(10, 3)
    seen.add(first, 40_000)
    seen.add(second, 80_000)
    seen.add(third, 80_010)
    kept = from_dict(1, 50_000, first)._replace(kept=True)
    seen.adopt([kept], 50_000)
    expected = first | second | third
    assert seen.find(list(expected)) == expected
    assert (seen.kept, seen.known) == ([kept], 80_010)
    whole = from_dict(1, 80_000, first | second)._replace(kept=True)
    seen.adopt([whole], 80_000)
    assert seen.find(list(expected)) == expected
    assert seen._runs == (whole,)
    seen.close()


def test_adopting_what_was_never_seen_makes_it_known() -> None:
    seen = Seen()
    seen.add(prints(10, 1), 10)
    new = prints(300_000, 2) | prints(10, 1)
    seen.adopt([from_dict(1, 300_010, new)._replace(kept=True)], 300_010)
    assert seen.known == 300_010
    assert seen.find(list(new)) == new
    later = prints(40_000, 3)
    seen.add(later, 340_010)
    seen.close()
    assert seen.find(list(later)) == later


def test_recent_ids_stay_known_when_others_sealed_them_with_more() -> None:
    seen = Seen()
    mine, others = prints(10, 1), prints(10, 2)
    seen.add(mine, 10)
    runs = [from_dict(1, 10, mine), from_dict(11, 20, others)]
    seen.adopt([run._replace(kept=True) for run in runs], 20)
    assert seen.find([*mine, *others]) == mine | others
    seen.close()


def test_an_older_adoption_that_comes_late_does_not_undo_a_newer_one() -> None:
    seen = Seen()
    first, second = prints(10, 1), prints(10, 2)
    older = [from_dict(1, 10, first)._replace(kept=True)]
    newer = [*older, from_dict(11, 20, second)._replace(kept=True)]
    seen.adopt(newer, 20)
    seen.adopt(older, 10)
    assert seen.find([*first, *second]) == first | second
    assert seen.kept == newer
    seen.close()


def test_filter_never_denies_what_was_added_and_seldom_passes_others() -> None:
    rng = np.random.default_rng(1)
    ids = rng.integers(0, 2**64, 200_000, dtype=np.uint64)
    filter_ = Filter(len(ids))
    filter_.add(ids[:70_000])
    filter_.add(ids[70_000:])
    assert (filter_.passing(ids) == ids).all()
    others = rng.integers(0, 2**64, 100_000, dtype=np.uint64)
    assert len(filter_.passing(others)) < 0.07 * len(others)
    assert filter_.capacity >= len(ids)


def test_run_file_gives_back_the_run(tmp_path: Path) -> None:
    run = from_dict(5, 1_004, prints(1_000, 1))
    kept = write_run(tmp_path, run, 42)
    path = run_path(tmp_path, 5, 1_004)
    again = open_run(path, 42)
    assert again is not None
    assert kept.kept
    assert again.kept
    assert (again.first, again.last) == (5, 1_004)
    assert (again.ids == run.ids).all()
    assert (again.contents == run.contents).all()
    assert list(tmp_path.iterdir()) == [path]
    assert open_run(path, 43) is None


@pytest.mark.parametrize("at", [0, 8, 16, 24, 32, 40, 64, 700, -1])
def test_any_changed_byte_makes_a_run_file_unsound(tmp_path: Path, at: int) -> None:
    write_run(tmp_path, from_dict(5, 54, prints(50, 1)), 42)
    path = run_path(tmp_path, 5, 54)
    data = bytearray(path.read_bytes())
    data[at] ^= 4
    path.write_bytes(data)
    assert open_run(path, 42) is None


def test_merge_holds_all_and_stays_sorted() -> None:
    pieces = [prints(100, seed) for seed in range(4)]
    merged = merge([from_dict(n * 100 + 1, n * 100 + 100, one) for n, one in enumerate(pieces)])
    assert (merged.first, merged.last) == (1, 400)
    assert (np.diff(merged.ids) > 0).all()
    everything = {key: content for piece in pieces for key, content in piece.items()}
    assert merged.find(np.sort(np.array(list(everything), dtype=np.uint64))) == everything


def test_sizes_that_merge() -> None:
    base = 32_768
    assert to_merge([]) is None
    assert to_merge([base] * 3) is None
    assert to_merge([base] * 5) == slice(0, 4)
    assert to_merge([10, 20, 30, base]) == slice(0, 4)
    assert to_merge([base * 16, base, base, base, base]) == slice(1, 5)
    assert to_merge([base * 16, base * 4, base * 4, base * 4, base]) is None


def test_number_of_runs_grows_with_the_logarithm() -> None:
    sizes: list[int] = []
    work = 0
    for _ in range(1_000):
        sizes.append(32_768)
        while which := to_merge(sizes):
            work += sum(sizes[which])
            sizes[which] = [sum(sizes[which])]
    assert len(sizes) <= 3 * 6
    assert work / sum(sizes) <= 6


def test_range_names_sort_as_positions() -> None:
    names = [range_name(first, first + 9) for first in (1, 9, 10, 99, 100, 10**15)]
    assert names == sorted(names)


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (b'{"a":1,"sentAt":"x"}', b'{"sentAt":{"a":2},"a":1}', True),
        (b'{"b":1,"a":2,"writeKey":"k"}', b'{"a":2,"receivedAt":"r","b":1}', True),
        (b'{"a":1,"_metadata":1}', b'{"a":1,"_metadata":2}', True),
        (b'{"a":1,"sentAt":1}', b'{"a":2,"sentAt":1}', False),
        (b'{"a":{"sentAt":1}}', b'{"a":{"sentAt":2}}', False),
        (b'{"a":"\\"sentAt\\":1"}', b'{"a":"\\"sentAt\\":2"}', False),
        (b'{"a:1,b":2,"sentAt":1}', b'{"a":1,"b":2,"sentAt":1}', False),
        (b'{"a":1}', b'{"a": 1}', False),
        (b'["sentAt"]', b'["sentAt" ]', False),
        (b"", b" ", False),
    ],
)
def test_contents_are_the_same_apart_from_what_a_retry_changes(one: bytes, other: bytes, same: bool) -> None:
    assert (content_print(one, 1) == content_print(other, 1)) is same
    assert content_print(one, 1) != content_print(one, 2)
    assert len(content_print(one, 1)) == 8
