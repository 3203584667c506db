"""What must hold within the definition of a destination: its schedule, its columns, its fields."""

from cauce.activate.fields import columns_of, table_columns
from cauce.activate.schedule import read_schedule
from cauce.app.problems import Problems
from cauce.vocabulary.definitions import DestinationDef, FileDef, SqlDef, WebhookDef
from cauce.vocabulary.yaml_lines import Document, Steps

_ABOUT_PERSONS = ("identifier.", "identifiers.", "trait.")


def check_destination(
    document: Document, steps: Steps, definition: DestinationDef, problems: Problems
) -> None:
    """Add a problem for all that does not fit together."""
    match definition:
        case FileDef():
            _check_schedule(document, (*steps, "schedule"), definition.schedule, problems)
        case SqlDef():
            _check_schedule(document, (*steps, "compare"), definition.compare, problems)
        case WebhookDef():
            _check_webhook_fields(document, steps, definition, problems)
    columns = table_columns(definition) if isinstance(definition, SqlDef) else columns_of(definition)
    added = len(columns) - len(definition.chosen())
    seen: set[str] = set()
    for index, column in enumerate(columns):
        folded = column.name.casefold()
        if folded in seen:
            hint = "Give one of them another name: `{value: …, name: …}`."
            way = (*steps, "fields", max(0, index - added))
            problems.at(document, way, f"two fields are called {column.name}.", hint)
        seen.add(folded)


def _check_schedule(document: Document, way: Steps, text: str, problems: Problems) -> None:
    try:
        read_schedule(text)
    except ValueError as error:
        problems.at(document, way, f"{way[-1]}: {error}", "")


def _check_webhook_fields(
    document: Document, steps: Steps, definition: WebhookDef, problems: Problems
) -> None:
    for index, field in enumerate(definition.chosen() if definition.fields else ()):
        if not field.value.startswith(_ABOUT_PERSONS):
            problems.at(
                document,
                (*steps, "fields", index),
                f"a webhook tells {field.value} in any case.",
                "Choose identifiers and traits only: they go into `context.traits`.",
            )
