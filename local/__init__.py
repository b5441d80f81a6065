"""The laptop's two clouds: everything here serves development and tests, nothing of it is deployed."""
