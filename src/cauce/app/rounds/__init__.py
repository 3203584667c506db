"""Rounds: several workers fold one log, and the state is that of one worker.

One of them, whichever is free, plans the next events: it gives new identifiers and
signatures their numbers in the order of the log, and deals the events to lanes such
that no two lanes touch the same row. The plan is stored; each lane is then folded in
one transaction by whoever claims it, and a lane whose worker died by the next one. The
transaction that ends the last lane numbers the feeds and moves the position on. So
there is no worker that others depend on, and nothing is folded twice.
"""
