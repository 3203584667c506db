"""The review queue: two records side by side, the weight's waterfall, and a decision."""

import uuid
from functools import partial

from nicegui import run, ui
from nicegui.element import Element

from cauce.app.console.frame import frame
from cauce.app.console.language import Words
from cauce.app.console.parts import answered, box, button, note, problem, row, table, text
from cauce.app.console.visit import Visit
from cauce.app.console.waterfall import named, waterfall_options
from cauce.app.identity_acts import Act, Wanted, act, wait_for
from cauce.app.review import Queue, Row, Waiting, review_queue
from cauce.vocabulary.errors import CauceError
from cauce.vocabulary.statement import Op

_LOOKED_AHEAD = 50
_DECIDED_SHOWN = 20
_WAIT_SECONDS = 10.0
_CHART_ROW = 26


async def review_page(visit: Visit) -> None:
    """Show the queue."""
    words = visit.words
    with frame(visit, words.say("Review queue")):
        text("p", words.say("People whom the rules have apart, and whose records say that they may be one."))
        said = box("div", role="status", aria_live="polite", tabindex="-1")
        place = box("div")
    await _Review(visit, said, place).look()


class _Review:
    """The page while it is open: which pair is shown, and what was said last."""

    def __init__(self, visit: Visit, said: Element, place: Element) -> None:
        self._visit = visit
        self._words = visit.words
        self._said = said
        self._place = place
        self._at = 0
        self._reason: ui.input | None = None
        self._head: Element | None = None

    async def look(self) -> None:
        """Read the queue and show it."""
        self._head = None
        await answered(self._words, self._place, self._read, self._show)

    async def _look_on(self) -> None:
        """Look again, and put the focus where reading goes on: what had it is gone."""
        await self.look()
        (self._head or self._said).run_method("focus")

    def _read(self) -> Queue:
        session = self._visit.session
        return review_queue(
            self._visit.composition,
            limit=_LOOKED_AHEAD,
            at=self._visit.desk.clock(),
            purpose=session.purpose,
            viewer=session.viewer,
        )

    def _show(self, queue: Queue) -> None:
        words = self._words
        if not queue.looked:
            note(words.say("Nobody has looked for candidates yet. This command does:"))
            text("code", "cauce identity candidates")
        elif not queue.waiting:
            note(words.say("Nothing waits: every pair of candidates is decided on."), "good")
        else:
            self._at %= len(queue.waiting)
            self._pair(queue, queue.waiting[self._at])
        if queue.decided:
            self._decided(queue.decided)

    def _pair(self, queue: Queue, pair: Waiting) -> None:
        words, count = self._words, len(queue.waiting)
        with box("section", "card", aria_label=words.say("Two people")):
            with box("div", "line"):
                which = words.say("Pair {at} of {count}", at=self._at + 1, count=count)
                self._head = text("h2", f"{which}+" if queue.more else which, tabindex="-1")
                if count > 1:
                    button(words.say("Previous pair"), partial(self._step, -1))
                    button(words.say("Next pair"), partial(self._step, 1))
            self._records(pair)
            self._weight(pair)
            self._choice(pair)

    async def _step(self, by: int) -> None:
        self._at += by
        self._said.clear()
        await self._look_on()

    def _records(self, pair: Waiting) -> None:
        words = self._words
        with table(words.say("The two records"), (words.say("What"), pair.one, pair.other, "")):
            for one in pair.rows:
                _record_row(words, one)

    def _weight(self, pair: Waiting) -> None:
        words = self._words
        text("h3", words.say("Why they may be one: weight {weight}", weight=words.signed(pair.weight)))
        text("p", words.say("The weight is the binary logarithm of the odds: each unit doubles them."))
        if not pair.steps:
            note(words.say("How the weight came about was not kept. Look for candidates again."))
            return
        chart = ui.echart(waterfall_options(words, pair.steps, pair.weight), renderer="svg")
        chart.classes("chart").props["aria-hidden"] = "true"  # the table beside it says the same
        chart.style(f"height: {_CHART_ROW * (len(pair.steps) + 1) + 40}px")
        with (
            box("details"),
            _summary(words.say("As a table")),
            table(words.say("What each comparison adds"), (words.say("Comparison"), words.say("Weight"))),
        ):
            for step in pair.steps:
                row(named(words, step), words.signed(step[2]))

    def _choice(self, pair: Waiting) -> None:
        words = self._words
        with box("div", "line"):
            self._reason = ui.input(words.say("Reason, kept with the decision"))
            self._reason.classes("grow").props["outlined"] = True
            for op, label, style in (
                (Op.SAME, words.say("They are one person"), "first"),
                (Op.NEVER, words.say("They are two people"), ""),
            ):
                button(label, partial(self._decide, pair, op), style)

    def _decided(self, decided: list[Act]) -> None:
        words = self._words
        heads = (words.say("When"), words.say("Decision"), words.say("Identifiers"), words.say("Reason"))
        with table(words.say("Decided"), (*heads, words.say("By"), "")):
            for one in decided[:_DECIDED_SHOWN]:
                said = one.saying
                with box("tr"):
                    text("td", words.moment(one.at))
                    text("td", words.say("one person") if said.op is Op.SAME else words.say("two people"))
                    for cell in (", ".join(said.identifiers), said.reason, said.by):
                        text("td", cell)
                    with box("td"):
                        button(words.say("Undo"), partial(self._undo, one))

    async def _decide(self, pair: Waiting, op: Op) -> None:
        words = self._words
        reason = (self._reason.value or "").strip() if self._reason else ""
        wanted = Wanted(op, reason or words.say("decided in the review queue"), (pair.one, pair.other))
        told = words.say("They are one person now.") if op is Op.SAME else words.say("They stay two people.")
        await self._act(wanted, told)

    async def _undo(self, one: Act) -> None:
        words = self._words
        wanted = Wanted(Op.RETRACT, words.say("undone in the review queue"), events=(one.id,))
        await self._act(wanted, words.say("The decision was taken back."))

    async def _act(self, wanted: Wanted, told: str) -> None:
        """State something, wait until it counts, and look again."""
        self._said.clear()
        self._place.props["inert"] = True
        try:
            folded = await run.io_bound(self._stated, wanted)
        except CauceError as error:
            with self._said:
                problem(self._words, error)
        else:
            with self._said:
                note(told, "good")
                if not folded:
                    note(self._words.say("It counts once the events before it are folded."))
        self._place.props.pop("inert", None)
        await self._look_on()

    def _stated(self, wanted: Wanted) -> bool:
        session, composition = self._visit.session, self._visit.composition
        done = act(
            composition,
            wanted,
            id_=str(uuid.uuid4()),
            now=self._visit.desk.clock(),
            viewer=session.viewer,
        )
        return wait_for(composition, done.position, wait_seconds=_WAIT_SECONDS)


def _summary(label: str) -> Element:
    text("summary", label)
    return box("div")


def _record_row(words: Words, one: Row) -> None:
    standing = {
        "same": words.say("same"),
        "different": words.say("different"),
        "one_sided": words.say("only one has it"),
    }[one.standing]
    row(one.name, ", ".join(one.one), ", ".join(one.other), standing, classes=one.standing)
