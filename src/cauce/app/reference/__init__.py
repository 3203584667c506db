"""The reference in ``docs/reference`` and the schemas in ``schemas``, made from the code they describe.

``python -m cauce.app.reference ROOT`` writes them; a test compares.
"""

from cauce.app.reference.cli import cli_reference
from cauce.app.reference.definitions import definitions_reference
from cauce.app.reference.errors import errors_reference
from cauce.app.reference.settings import settings_reference
from cauce.app.schemas import schema_files


def reference_files() -> dict[str, str]:
    """Path in the repository → text."""
    return {
        "docs/reference/cli.md": cli_reference(),
        "docs/reference/settings.md": settings_reference(),
        "docs/reference/definitions.md": definitions_reference(),
        "docs/reference/errors.md": errors_reference(),
        **{f"schemas/{name}": text for name, text in schema_files().items()},
    }
