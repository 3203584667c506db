"""Plans: what other definitions would change, and whom it would touch, before anything is applied.

In come the definitions that are in force, other ones, and a snapshot of state and
log. Out comes, for each definition that differs, which fields do and which people
enter, leave or get another value, by number and by name. Nothing is written to
the live state.
"""
