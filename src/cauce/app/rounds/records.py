"""What rounds keep: the lanes of the round under way, and who is there to fold them."""

from sqlalchemy import Column, LargeBinary, Table

from cauce.storage.records import PERSONAL, STATE, Int64, Words

lanes = Table(
    "fold_lane",
    STATE,
    Column("lane", Int64, primary_key=True, autoincrement=False),
    Column("done", Int64, nullable=False),  # 1 when it is folded
    Column("plan", LargeBinary, nullable=False, info=PERSONAL),  # MessagePack, see plan.py
    Column("result", LargeBinary, nullable=False, info=PERSONAL),  # MessagePack, see lane.py
    sqlite_with_rowid=False,
)
"""The lanes of the open round; empty between two rounds."""

workers = Table(
    "fold_worker",
    STATE,
    Column("worker", Words, primary_key=True),
    Column("beat", Int64, nullable=False),
    sqlite_with_rowid=False,
)
"""The workers that are there; a living one counts its beats."""
