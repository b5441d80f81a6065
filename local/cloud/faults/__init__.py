"""Faults between the app and its data services, for tests."""
