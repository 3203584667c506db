"""Why two identifiers are one person's or not, in the reader's language."""

from cauce.app.console.language import Words
from cauce.app.console.parts import box, text
from cauce.app.identity_why import WhyView


def show_why(words: Words, view: WhyView) -> None:
    """The answer, the links that make it or that do not hold, and what would change it."""
    why = view.why
    with box("section", "card", aria_label=words.say("Why")):
        text("h2", words.sentence(why.said))
        with box("ol"):
            for link in why.chain:
                text("li", words.sentence(link.said))
        for one in why.obstacles:
            with box("div", "obstacle"):
                if one.link.seen:
                    text("p", words.sentence(one.link.said))
                text("p", words.say("Not one person: {reason}.", reason=words.sentence(one.said)))
                if one.against is not None and one.preferred is not None:
                    kept = words.sentence(one.against.said)
                    because = words.sentence(one.preferred)
                    text("p", words.say("Kept instead: {link}; {reason}.", link=kept, reason=because))
        if view.changes:
            _changes(words, view)


def _changes(words: Words, view: WhyView) -> None:
    answers = {
        True: words.say("Yes."),
        False: words.say("No, not by that alone."),
        None: words.say("Perhaps; it was not tried."),
    }
    text("h3", words.say("Would they be one person …"))
    with box("ul"):
        for one in view.changes:
            text("li", f"… {words.sentence(one.said)}? {answers[one.works]}")
