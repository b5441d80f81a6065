"""API Gateway's HTTP APIs, with a listener for each."""
