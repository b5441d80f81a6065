"""HTTP: routes, problem details and request metrics. Independent of clouds."""
