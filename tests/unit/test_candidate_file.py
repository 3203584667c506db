"""The file of candidates: kept whole, and read as older versions wrote it."""

from cauce.app.candidate_file import CandidatePair, Kept, keep, kept_in


def test_pairs_are_read_as_they_were_kept(tmp_path) -> None:
    path = tmp_path / "match" / "candidates.json"
    assert kept_in(path) is None
    kept = Kept("m1", [CandidatePair("a:1", "b:2", 1.5, [("name", "equal", 2.0), ("prior", "", -0.5)])])
    keep(path, kept)
    assert kept_in(path) == kept
    path.write_text('{"model": "m0", "pairs": [["a:1", "b:2", 1.5]]}')
    older = kept_in(path)
    assert older is not None and older.pairs == [CandidatePair("a:1", "b:2", 1.5, [])]
