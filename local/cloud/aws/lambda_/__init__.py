"""Lambda: functions, versions and aliases, and the environments that run them."""
