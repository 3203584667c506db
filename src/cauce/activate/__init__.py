"""Activation: other systems are told what happened.

In come membership changes from the segment stage, in the transaction that made
them. Each becomes one delivery per destination, with the bytes of its body
fixed; out go signed webhook requests, at least once, with the same body and
idempotency key at every attempt, and a receipt of each attempt. The deliveries
to one destination about one person keep their order.
"""
