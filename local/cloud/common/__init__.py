"""The cache folder, listeners, child processes, archives and errors, for both clouds."""
