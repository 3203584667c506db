"""Five things to look at: commands to copy."""

import os
from typing import NamedTuple

from demo.space import API_KEY_FILE, CAUCE, DemoSpace


class Look(NamedTuple):
    """Something to look at: why, and the command that shows it."""

    what: str
    command: str


def serve_command(space: DemoSpace) -> str:
    """The command that serves the demo's space again."""
    return f"{os.path.relpath(CAUCE)} serve --space {os.path.relpath(space.root)}"


def looks(space: DemoSpace) -> list[Look]:
    """The five, as commands for the folder in which the demo runs."""
    cauce, here = os.path.relpath(CAUCE), os.path.relpath(space.root)
    greg = f"{space.api}/api/v1/profiles/email:greg@companya.example?purpose=support"
    return [
        Look(
            "Petra's address was corrected, then an old file came again: why does the right one stand?",
            f"{cauce} profile show email:petra.novotna@mail.example --why --space {here}",
        ),
        Look(
            "Lucia attended under an address that nothing connects with her: the limit of sure rules.",
            f"{cauce} segment why never_attended email:lucia.ferri@mail.example --space {here}",
        ),
        Look(
            "Who spends much? Members leave by themselves when their orders get too old.",
            f"{cauce} segment members big_spenders --space {here}",
        ),
        Look(
            "The log: what came in, in the order of its positions.",
            f'{cauce} log show --name "White Paper Downloaded" --limit 5 --space {here}',
        ),
        Look(
            "The same person by any of her identifiers, as a program reads her.",
            f'curl -s -H "Authorization: Bearer $(cat {here}/{API_KEY_FILE})" "{greg}"',
        ),
    ]
