"""Facts in bulk: the evidence without what is retracted, and without what consent does not allow.

Few events are concerned. Evidence is gathered from all of them first, so that numbers are
those of the stream; then it is counted anew for the signatures of these few.
"""

import duckdb
import pyarrow as pa

from cauce.identity.bulk_evidence import ODD_JOIN, SIGNATURE_OF
from cauce.identity.consent import Consents
from cauce.identity.facts import Facts

EXCLUDED = "identity_excluded"
"""The table ``position BIGINT, retracted BOOLEAN``: the events that do not count."""

_JUDGED = f"""
CREATE TEMPORARY TABLE {EXCLUDED} AS
SELECT position, bool_or(retracted) AS retracted FROM (
  SELECT position, TRUE AS retracted FROM {{events}} SEMI JOIN identity_retracted USING (message_id)
  UNION ALL
  SELECT position, FALSE FROM (SELECT position, time, unnest(identifiers) AS key FROM {{events}})
  JOIN identity_withdrawn USING (key) WHERE time < until)
GROUP BY position
"""

# What a signature's events are, of those signatures that any excluded event has.
_TOUCHED = f"""
CREATE TEMPORARY TABLE identity_touched AS
WITH carried AS (
  SELECT position, time, source, array_to_string(identifiers, chr(0)) AS spelling, identifiers
  FROM {{events}} WHERE len(identifiers) > 0),
spelt AS (
  SELECT carried.*, signature FROM carried JOIN {SIGNATURE_OF} AS known ON {ODD_JOIN}),
concerned AS (SELECT DISTINCT signature FROM spelt SEMI JOIN {EXCLUDED} USING (position))
SELECT signature, source, position, time, excluded.position IS NULL AS allowed,
  NOT coalesce(retracted, FALSE) AS counted
FROM spelt SEMI JOIN concerned USING (signature) LEFT JOIN {EXCLUDED} AS excluded USING (position);
DELETE FROM identity_evidence WHERE signature IN (SELECT signature FROM identity_touched);
INSERT INTO identity_evidence
SELECT signature, source, count(*), min(time), max(time) FROM identity_touched WHERE counted GROUP BY ALL;
CREATE TEMPORARY TABLE identity_limited AS
SELECT DISTINCT signature FROM identity_touched WHERE counted AND NOT allowed;
CREATE TEMPORARY TABLE identity_allowed_evidence AS
SELECT signature, source, count(*) AS events, min(time) AS first_time, max(time) AS last_time
FROM identity_touched SEMI JOIN identity_limited USING (signature) WHERE allowed GROUP BY ALL;
CREATE OR REPLACE TEMPORARY VIEW identity_effective AS
SELECT * FROM identity_evidence ANTI JOIN identity_limited USING (signature)
UNION ALL SELECT * FROM identity_allowed_evidence;
INSERT INTO identity_seen_anew
WITH concerned AS (
  SELECT DISTINCT unnest(ids) AS id FROM identity_signature
  SEMI JOIN identity_touched USING (signature)),
holding AS (SELECT signature, unnest(ids) AS id FROM identity_signature)
SELECT id, min(first_time) AS first_time FROM concerned LEFT JOIN holding USING (id)
LEFT JOIN identity_effective USING (signature) GROUP BY id;
"""


def exclude(connection: duckdb.DuckDBPyConnection, events: str, facts: Facts) -> None:
    """Take from the evidence, which ``gather`` has left behind, what does not count."""
    retracted = pa.array(sorted(facts.retracted), pa.string())
    connection.register("identity_retracted", pa.table({"message_id": retracted}))
    keys, until = _withdrawn(facts.consents)
    withdrawn = {"key": pa.array(keys, pa.string()), "until": pa.array(until, pa.int64())}
    connection.register("identity_withdrawn", pa.table(withdrawn))
    connection.execute(_JUDGED.format(events=events))
    connection.execute(_TOUCHED.format(events=events))


def _withdrawn(consents: Consents) -> tuple[list[str], list[int]]:
    """The identifiers whose consent was withdrawn, and the moment from which observations count again."""
    found = consents.withdrawn()
    return list(found), list(found.values())
