"""The log of events: append durably, read in order from a position, seal to Parquet.

What comes in are events the door accepted and input it refused; what goes out
are the same events in the order of their positions, each message id once.
``port`` says what an engine promises, ``sqlite`` is the embedded engine.
"""
