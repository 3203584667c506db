"""Moving a whole space from SQLite files to PostgreSQL or back.

What comes in is a space that nobody serves; what goes out is the same space at the
other place, table by table, and a source that is marked and refuses to be served.
The sealed files stay where they are: both engines keep them in the space's folder.
"""
