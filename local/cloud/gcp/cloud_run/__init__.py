"""Cloud Run: services, revisions and instances."""
