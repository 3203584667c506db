"""Finding candidates: the golden records of all people, scored against one another with a model."""

from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from cauce.app.candidate_file import CandidatePair, Kept, keep
from cauce.app.compose import Composition
from cauce.app.scenario_matching import DECLARED_MODEL, ModelMatcher
from cauce.match.model_files import read_model
from cauce.match.splink_engine import require
from cauce.vocabulary.access import Purpose, Viewer
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.profile import ProfileKey

FEW = 2_000
"""So many people at most are matched with the model for small data, which compares every pair."""

_PAGE = 500


def find_candidates(composition: Composition, path: Path | None, *, purpose: Purpose, viewer: Viewer) -> Kept:
    """The pairs of people that a model takes for one or for candidates, likeliest first; also kept.

    Raises ``Unsupported`` without Splink, ``InvalidInput`` without a model for so many people,
    and ``NotAllowed`` if the viewer may not read for this purpose.
    """
    require()
    composition.access.require(viewer, "read", purpose)
    model = read_model(path or DECLARED_MODEL)
    people = list(_people(composition))
    if path is None and len(people) > FEW:
        raise InvalidInput(
            f"The model for small data is for {FEW:,} people at most, and here are {len(people):,}.",
            hint="Name a model with --model FILE.",
        )
    pairs = ModelMatcher(model).weighed([record for _, record in people])
    found = [
        CandidatePair(people[one.one][0], people[one.other][0], one.weight, [(*step,) for step in one.steps])
        for one in pairs
    ]
    kept = Kept(model.hash, sorted(found, key=lambda pair: (-pair.weight, pair.one, pair.other)))
    keep(composition.space.candidates, kept)
    return kept


def _people(composition: Composition) -> Iterator[tuple[str, dict[str, Any]]]:
    """The anchor of each profile with what is known of her: traits, and an identifier of each type."""
    with composition.state.read() as reader:
        keys = iter([whole.profile for whole in composition.identity.everybody(reader)])
        while page := list(islice(keys, _PAGE)):
            described = composition.identity.describe(reader, page)
            signatures = {ProfileKey(key): one.signatures for key, one in described.items()}
            persons = composition.profiles.persons(reader, signatures)
            for key, one in described.items():
                person = persons[key]
                values = {name: person.trait(name) for name in sorted(person.trait_names())}
                known = {identifier.type: identifier.value for identifier in reversed(one.identifiers)}
                yield (
                    str(one.identifiers[0]),
                    known | {name: v for name, v in values.items() if v is not None},
                )
