"""A worker of its own process: folds a log on SQLite into state on PostgreSQL until it is killed."""

import sys
from pathlib import Path
from time import sleep

from cauce.app.rounds.worker import RoundWorker
from cauce.eventlog.sqlite import SqliteLog
from cauce.storage.postgres import PostgresRecords
from cauce.storage.records import STATE
from cauce.vocabulary.errors import Transient
from cauce.vocabulary.moment import Moment
from tests.property.small_company import composed


def main(url: str, schema: str, folder: str, name: str, now: str) -> None:
    records = PostgresRecords(url, schema, STATE, durable=False)
    pipeline = composed(records)
    how = pipeline.identity.ruleset.normalization
    log, clock = SqliteLog(Path(folder)), lambda: Moment(int(now))
    worker = RoundWorker(pipeline, log, lambda _: how, clock, records=records, name=name)
    while True:
        try:
            if not worker.step():
                sleep(0.01)
        except Transient:
            sleep(0.1)


if __name__ == "__main__":
    while True:
        try:
            main(*sys.argv[1:])
        except Transient:  # the server is gone while the worker starts
            sleep(0.1)
