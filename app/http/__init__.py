"""HTTP: routes, problem details and request metrics. Nothing here knows a cloud."""
