"""Both clouds, which run in the daemon's process and in the app's environment."""
