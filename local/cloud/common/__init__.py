"""Listeners, child processes, archives and errors, which both clouds use."""
