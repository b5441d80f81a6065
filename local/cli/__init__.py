"""The commands, which run the engine and start and stop the daemon."""
