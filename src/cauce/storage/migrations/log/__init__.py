"""The revisions of the event log store, each with its way up and down."""
