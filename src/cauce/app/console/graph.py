"""A person's graph as a chart: identifiers as points, links solid where they hold, else dashed.

Labels and hints are drawn on the picture; nothing of them is read as HTML.
"""

from typing import Any

from cauce.app.console.language import Words
from cauce.identity.why_graph import Drawn, DrawnLink, Picture, Standing

MOST_DRAWN = 300
"""So many links at most are drawn; the tables have them all."""

_COLOURS = {
    Standing.ANCHOR: "#1f5f8b",
    Standing.MEMBER: "#4f93c4",
    Standing.SHARED: "#c9a227",
    Standing.OTHER: "#a36bb0",
    Standing.NOBODY: "#9a9a9a",
}
_REJECTED = "#c2543d"
_LONGEST = 40


def standings(words: Words) -> dict[Standing, str]:
    """What an identifier is to the person, in words."""
    return {
        Standing.ANCHOR: words.say("hers, the strongest"),
        Standing.MEMBER: words.say("hers"),
        Standing.SHARED: words.say("shared by many"),
        Standing.OTHER: words.say("another person's"),
        Standing.NOBODY: words.say("nobody's"),
    }


def graph_options(words: Words, picture: Picture) -> dict[str, Any]:
    """The chart of a person's graph."""
    links = picture.links[:MOST_DRAWN]
    ends = {end for link in links for end in (link.stronger, link.weaker)}
    names = standings(words)
    drawn = [one for one in picture.identifiers if str(one.identifier) in ends or _hers(one)]
    order = list(names)
    return {
        "animation": False,
        "tooltip": {"renderMode": "richText", "confine": True},
        "legend": {"data": list(names.values()), "bottom": 0, "textStyle": {"color": "#888"}},
        "color": [_COLOURS[one] for one in order],
        "series": [
            {
                "type": "graph",
                "layout": "force",
                "roam": True,
                "force": {"repulsion": 320, "edgeLength": 130, "friction": 0.2, "layoutAnimation": False},
                "categories": [{"name": name} for name in names.values()],
                "label": {"show": len(drawn) <= 60, "position": "right", "color": "#888"},
                "data": [_point(one, order.index(one.standing)) for one in drawn],
                "links": [_line(words, one) for one in links],
            }
        ],
    }


def _hers(one: Drawn) -> bool:
    return one.standing in (Standing.ANCHOR, Standing.MEMBER)


def _point(one: Drawn, category: int) -> dict[str, Any]:
    name = str(one.identifier)
    return {
        "id": name,
        "name": _short(name),
        "category": category,
        "symbolSize": 26 if one.standing is Standing.ANCHOR else 18,
        "tooltip": {"formatter": _plain(name)},
    }


def _line(words: Words, one: DrawnLink) -> dict[str, Any]:
    style = {"type": "solid", "width": 2, "color": "#888"}
    reason = words.say("This link holds.")
    if not one.held:
        style |= {"type": "dashed", "color": _REJECTED}
        reason = words.sentence(one.said) if one.said else words.say("This link does not hold.")
    return {
        "source": one.stronger,
        "target": one.weaker,
        "lineStyle": style,
        "tooltip": {"formatter": _plain(f"{one.stronger} – {one.weaker}\n{reason}")},
    }


def _short(name: str) -> str:
    return name if len(name) <= _LONGEST else f"{name[: _LONGEST - 1]}…"


def _plain(content: str) -> str:
    """Text without braces, in which a hint's template would have places and styles."""
    return content.replace("{", "(").replace("}", ")")
