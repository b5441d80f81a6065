"""API Gateway's HTTP APIs: a front door for each."""
