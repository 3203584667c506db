"""The page about the API, made from its OpenAPI document: ``python -m tests.docs.api_page`` writes it."""

import tempfile
import time
from pathlib import Path
from typing import Any

from cauce.app.api import create_api
from cauce.app.compose import Composition
from cauce.app.new_space import make_space
from cauce.app.reference.markdown import code, table
from cauce.govern.keys import KeyRing
from cauce.vocabulary.moment import now
from tests.docs.markdown_blocks import ROOT

PAGE = ROOT / "docs/reference/api.md"
_HEAD = """\
<!-- Made by `python -m tests.docs.api_page`; change the code that it describes. -->

# API

The API answers questions about people, segments, the log and deliveries, in JSON. Its base is
`http://127.0.0.1:8766/api/v1`, and `/openapi.json` below it describes every field. Send a key as
`Authorization: Bearer KEY`; `cauce key create api NAME --scope read` makes one, and to replay deliveries it
needs the scope `write`, to plan and apply definitions the scope `define`. Whoever reads personal data
names a `purpose` that `cauce.yaml` declares. An error is a problem (RFC 9457) with one of the codes in
[errors](errors.md). A list goes on with `cursor` set to the `next` of its answer.

"""


def document() -> dict[str, Any]:
    """The OpenAPI document of a new space's API."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder) / "space"
        make_space(root, now=now())
        composition = Composition(root)
        app = create_api(composition, KeyRing(composition.control, time.monotonic), now)
        described: dict[str, Any] = app.openapi()
        composition.log.close()
        return described


def api_page(described: dict[str, Any]) -> str:
    """The text of the page."""
    rows = [
        (
            code(f"{method.upper()} {path.removeprefix('/api/v1')}"),
            route["summary"] if "description" not in route else route["description"].partition("\n")[0],
            ", ".join(_parameter(one) for one in route.get("parameters", ()) if one["in"] == "query"),
        )
        for path, methods in described["paths"].items()
        for method, route in methods.items()
    ]
    return _HEAD + table(("route", "what it answers", "parameters (**needed**)"), rows)


def _parameter(one: dict[str, Any]) -> str:
    return f"**{code(one['name'])}**" if one.get("required") else code(one["name"])


if __name__ == "__main__":
    PAGE.write_text(api_page(document()), encoding="utf-8")
