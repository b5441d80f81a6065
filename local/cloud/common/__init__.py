"""What both clouds are made of: listeners, child processes, archives and errors."""
