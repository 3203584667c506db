"""A pair's weight as a waterfall: what each comparison adds or takes off, from the prior to the sum."""

from collections.abc import Sequence
from itertools import accumulate
from typing import Any

from cauce.app.console.language import Words

Step = tuple[str, str, float]

_UP, _DOWN, _SUM = "#2f8f5b", "#c2543d", "#4a6a8a"


def named(words: Words, step: Step) -> str:
    """What a step compares, and what came of it."""
    name, outcome, _ = step
    known = {"prior": words.say("before any comparison"), "relatives": words.say("they may be relatives")}
    said = words.say("missing") if outcome == "missing" else outcome
    return known.get(name) or f"{name}: {said}"


def waterfall_options(words: Words, steps: Sequence[Step], weight: float) -> dict[str, Any]:
    """The chart: floating bars, and the sum as the last one."""
    ends = list(accumulate(step[2] for step in steps))
    starts = [0.0, *ends[:-1]]
    bars = [*zip(starts, ends, strict=True), (0.0, weight)]
    labels = [*(named(words, step) for step in steps), words.say("Weight")]
    amounts = [*(step[2] for step in steps), weight]
    colours = [*(_UP if step[2] >= 0 else _DOWN for step in steps), _SUM]
    shown = [
        {
            "value": [number, low, high],
            "itemStyle": {"color": colour},
            "label": {"show": True, "formatter": words.signed(amount)},
        }
        for number, ((low, high), colour, amount) in enumerate(zip(bars, colours, amounts, strict=True))
    ]
    return {
        "animation": False,
        "grid": {"left": 12, "right": 60, "top": 8, "bottom": 24, "containLabel": True},
        "xAxis": {"type": "value", "axisLabel": {"color": "#888"}},
        "yAxis": {"type": "category", "data": labels, "inverse": True, "axisLabel": {"color": "#888"}},
        "series": _series(shown),
    }


def _series(shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each bar as two stacks, one on each side of zero, beginning with an invisible part."""
    series: dict[str, list[Any]] = {"gap+": [], "bar+": [], "gap-": [], "bar-": []}
    for one in shown:
        _, start, end = one["value"]
        low, high = min(start, end), max(start, end)
        look = {"itemStyle": one["itemStyle"]}
        label = one["label"] | {"position": "right" if high > 0 else "left", "color": "#888"}
        above, below = max(high, 0) - max(low, 0), min(low, 0) - min(high, 0)
        series["gap+"].append(max(low, 0))
        series["bar+"].append({"value": above, **look, **({"label": label} if high > 0 else {})})
        series["gap-"].append(min(high, 0))
        series["bar-"].append({"value": below, **look, **({} if high > 0 else {"label": label})})
    hidden = {"color": "transparent"}
    return [
        {
            "type": "bar",
            "name": name,
            "stack": name[-1],
            "barGap": "-100%",
            "data": data,
            "silent": True,
            **({"itemStyle": hidden} if name.startswith("gap") else {}),
        }
        for name, data in series.items()
    ]
