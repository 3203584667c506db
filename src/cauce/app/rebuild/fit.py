"""Whether a store beside the live one has identifiers that are normalized as the definitions say.

Identity rules and segments are in the store itself. How identifiers are normalized depends
on the sources too: a shadow remembers it as a fingerprint until it comes into force, and
a former state is judged by the version of the definitions that made it.
"""

from hashlib import blake2b

import msgspec

from cauce.app.compose import Composition
from cauce.app.in_force import normalizes_otherwise
from cauce.app.pipeline import LOG, VERSION
from cauce.app.rebuild.rows import Unfit
from cauce.eventlog.statistics import normalization_print
from cauce.storage.records import Records, Transaction, progress
from cauce.vocabulary.event import Position

_NAME = "rebuild.normalization"
"""The name under which ``progress`` of a shadow keeps the fingerprint."""


def note_normalization(records: Records, composition: Composition) -> None:
    """Let a shadow remember how the identifiers in it are normalized."""
    with records.write() as transaction:
        transaction.advance(_NAME, _fingerprint(composition))


def forget_normalization(transaction: Transaction) -> None:
    """Remove what a shadow remembers: it comes into force."""
    transaction.remove(progress, "name", [_NAME])


def require_normalization(records: Records, composition: Composition) -> None:
    """Raise ``Unfit`` if the identifiers in a store are normalized otherwise than they would be now."""
    with records.read() as reader:
        noted, version = reader.progress(_NAME), reader.progress(VERSION)
        folded = Position(reader.progress(LOG))
    if noted:
        fits = noted == _fingerprint(composition)
    elif version and version != composition.version_in_force:
        before = composition.with_definitions(composition.versions.definitions(version), version)
        fits = not normalizes_otherwise(before, composition, folded)
    else:
        fits = True
    if not fits:
        raise Unfit(
            "The rebuilt state has identifiers that are normalized otherwise.",
            hint="Make it anew: `cauce rebuild`.",
        )


def _fingerprint(composition: Composition) -> int:
    """A number that says how identifiers of each source are normalized; never 0."""
    others = composition.normalization("")
    how = {
        source: normalization_print(one)
        for source, one in composition.normalizations().items()
        if not source or one != others
    }
    text = msgspec.json.encode(how, order="deterministic")
    return int.from_bytes(blake2b(text, digest_size=7).digest(), "big") + 1
