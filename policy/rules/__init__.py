"""The rules for all stacks. A violation stops the preview or update, unless the rule is advisory."""

from pulumi_policy import Policy

from rules import access, data, iam, logs, runtimes, secrets, snap_start, tags

MODULES = (access, iam, data, logs, secrets, tags, runtimes, snap_start)
RULES = [rule for module in MODULES for rule in vars(module).values() if isinstance(rule, Policy)]
