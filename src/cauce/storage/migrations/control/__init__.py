"""The revisions of the control store, each with its way up and down."""
