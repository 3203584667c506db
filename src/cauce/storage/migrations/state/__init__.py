"""The revisions of the state store, each with its way up and down."""
