"""What one does with a deployment after `pulumi up`. Knows the API and the stacks' outputs, neither app nor stacks."""
