"""`/api/v1/identity/review`: pairs of people who may be one, until somebody decides on each."""

import msgspec
from fastapi import APIRouter, Response

from cauce.app.api.answers import LimitQuery, answer, documented
from cauce.app.api.callers import CallerKey
from cauce.app.compose import Composition
from cauce.app.review import Waiting, review_queue
from cauce.vocabulary.moment import Clock


class ComparedRow(msgspec.Struct, frozen=True):
    """What two records say of a trait or an identifier type; ``standing``: same, different or one_sided."""

    name: str
    one: list[str]
    other: list[str]
    standing: str


class WeightStep(msgspec.Struct, frozen=True):
    """What one comparison added to a weight."""

    comparison: str
    outcome: str
    weight: float


class PairDocument(msgspec.Struct, frozen=True):
    """Two people who may be one: an identifier of each, their records, and how the weight came about.

    ``weight`` is the log2 of the odds that they are one.
    """

    one: str
    other: str
    profile_ids: list[str]
    weight: float
    steps: list[WeightStep]
    rows: list[ComparedRow]


class ReviewDocument(msgspec.Struct, frozen=True):
    """The pairs that wait, likeliest first; ``looked`` is false if nobody looked for candidates yet."""

    looked: bool
    data: list[PairDocument]
    has_more: bool


def review_routes(composition: Composition, clock: Clock) -> APIRouter:
    """The routes, reading from a space."""
    router = APIRouter(prefix="/identity/review", tags=["identity"])

    @router.get("", responses=documented(ReviewDocument, "The pairs that wait."))
    def waiting(caller: CallerKey, limit: LimitQuery = 20) -> Response:
        """List pairs of people who may be one; decide on one by an act `same` or `never`."""
        found = review_queue(
            composition, limit=limit, at=clock(), purpose=caller.purpose, viewer=caller.viewer
        )
        return answer(ReviewDocument(found.looked, [_document(one) for one in found.waiting], found.more))

    return router


def _document(pair: Waiting) -> PairDocument:
    return PairDocument(
        one=pair.one,
        other=pair.other,
        profile_ids=list(pair.profile_ids),
        weight=pair.weight,
        steps=[WeightStep(*step) for step in pair.steps],
        rows=[ComparedRow(*row) for row in pair.rows],
    )
