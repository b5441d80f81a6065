"""The commands: they run the engine, and start and stop the daemon."""
