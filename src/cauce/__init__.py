"""Cauce, a customer data platform."""
