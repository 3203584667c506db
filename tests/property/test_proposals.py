"""A proposal for any file of rows is a mapping that loads, and that takes what it was made from."""

import csv
import io
import string
from datetime import datetime, timedelta
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cauce.collect.files.mapping.reading import read_mapping
from cauce.collect.files.proposal.service import propose
from cauce.vocabulary.errors import InvalidInput
from cauce.vocabulary.moment import Moment
from cauce.vocabulary.yaml_lines import parse_yaml

NOW = Moment(1_767_225_600_000_000)
START = datetime.fromisoformat("2025-01-31T08:00:00")

NAMES = st.one_of(
    st.sampled_from(
        ["email", "Correo electrónico", "customer_id", "fecha", "Date", "order id", "sku", "qty", "a: b", "#"]
    ),
    st.text(string.printable + "áñ€", min_size=1, max_size=8),
)
CELLS = st.one_of(
    st.integers(-5, 10**12).map(str),
    st.decimals(-1000, 1000, places=2).map(str),
    st.decimals(0, 1000, places=2).map(lambda number: str(number).replace(".", ",")),
    st.text(string.printable + "áñ€", max_size=6),
    st.integers(0, 400).map(lambda day: (START + timedelta(days=day)).strftime("%d/%m/%Y")),
    st.integers(0, 400).map(lambda day: (START + timedelta(hours=day)).isoformat()),
    st.integers(0, 50).map(lambda number: f"p{number}@example.org"),
    st.sampled_from(["", "-", "N/A", "sí", "no", "00123", "true"]),
)


@st.composite
def files(draw: st.DrawFn) -> bytes:
    """Rows of one width, in some encoding and with some delimiter; columns keep to one strategy or not."""
    names = draw(st.lists(NAMES, min_size=1, max_size=6))
    rows = draw(st.lists(st.lists(CELLS, min_size=len(names), max_size=len(names)), max_size=12))
    out = io.StringIO()
    writer = csv.writer(out, delimiter=draw(st.sampled_from(",;\t|")))
    if draw(st.booleans()):
        writer.writerow(names)
    writer.writerows(rows)
    return out.getvalue().encode(draw(st.sampled_from(["utf-8", "cp1252", "utf-16", "utf-8-sig"])), "replace")


@settings(max_examples=250, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=files())
def test_a_proposal_loads_and_counts_every_row(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "unknown file.csv"
    file.write_bytes(content)
    try:
        found = propose(file, owner="ann", source="crm", clock=lambda: NOW)
    except InvalidInput as refused:
        assert refused.message  # it is empty, or looks like another format
        return
    mapping = read_mapping(parse_yaml(found.yaml, "m.yaml"))
    assert (mapping.owner, mapping.source) == ("ann", "crm")
    tried = found.tried
    assert tried.read == tried.accepted + tried.duplicate + tried.quarantined


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(content=st.one_of(st.binary(max_size=300), st.binary(max_size=40).map(lambda b: b"{" + b)))
def test_rubbish_is_proposed_or_refused_with_a_hint(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "rubbish"
    file.write_bytes(content)
    try:
        found = propose(file, owner="ann", source="crm", clock=lambda: NOW)
    except InvalidInput as refused:
        assert refused.message
    else:
        read_mapping(parse_yaml(found.yaml, "m.yaml"))
