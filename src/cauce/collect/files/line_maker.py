"""From one row to one event, where each line of a file makes an event of its own."""

from collections.abc import Sequence

from cauce.collect.files.events import EventMaker, Unfit
from cauce.collect.files.mapping import Mapping
from cauce.collect.files.reasons import FileReason
from cauce.collect.files.rows import BadRow, Row
from cauce.collect.settings import CollectSettings
from cauce.vocabulary.event import Accepted
from cauce.vocabulary.moment import Moment


class LineMaker:
    """Makes the events of single rows; all of them are received at one moment."""

    def __init__(self, mapping: Mapping, source: str, settings: CollectSettings, received: Moment) -> None:
        self._makers = [EventMaker(rule, mapping, source, settings) for rule in mapping.events]
        self._received = received

    def of(self, row: Row | BadRow, content: Sequence[object]) -> Accepted | BadRow:
        """The event of a row, or why it makes none; ``content`` tells it from others of its rule."""
        if isinstance(row, BadRow):
            return row
        for maker in self._makers:
            if maker.takes(row.values):
                try:
                    return maker.make(row.values, content, self._received)
                except Unfit as unfit:
                    return BadRow(row.line, row.raw, unfit.reason, str(unfit))
        return BadRow(row.line, row.raw, FileReason.NO_EVENT, "No event of the mapping takes the line.")
