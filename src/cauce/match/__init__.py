"""Probabilistic matching: which records are of one person, with the weight of the evidence."""
