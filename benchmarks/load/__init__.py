"""The load test, `make load`: locust against running stacks, and what the stacks themselves say about it."""
