"""AWS: HTTP APIs and Lambda, and moto for the rest."""
