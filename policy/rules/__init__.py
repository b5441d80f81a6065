"""What no stack may do. A fault of a rule stops the preview or update."""

from pulumi_policy import Policy

from rules import access, data, iam, logs, runtimes, secrets, tags

ROOMS = (access, iam, data, logs, secrets, tags, runtimes)
RULES = [rule for room in ROOMS for rule in vars(room).values() if isinstance(rule, Policy)]
