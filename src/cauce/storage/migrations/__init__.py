"""Migrations: each store's revisions in a folder of its own, and the running of them up and down.

Revisions are Alembic's. One that was released is never edited; a test compares the
tables that the newest one leaves with those the program declares.
"""
