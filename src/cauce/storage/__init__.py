"""What an engine must do (``records``), and the engines that do it (``sqlite``).

A stage declares its tables with SQLAlchemy Core in its ``records.py``; an engine
creates them and serves rows by key within transactions.
"""
