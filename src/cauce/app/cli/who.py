"""Who gives commands: the viewer that a version of the definitions names."""

import getpass

from cauce.app.cli.output import COMMAND_LINE
from cauce.vocabulary.access import Viewer


def command_line() -> Viewer:
    """The viewer of a command that changes something: the user of this machine, at the command line."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user without a name, as in some containers
        return COMMAND_LINE
    return COMMAND_LINE._replace(name=f"{user} ({COMMAND_LINE.name})")
