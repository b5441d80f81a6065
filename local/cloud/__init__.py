"""Both clouds. They run in the app's environment, in the daemon's process."""
