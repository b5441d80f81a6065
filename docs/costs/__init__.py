"""What a stack costs a month: prices, a profile of use, what each type of resource is billed for, and costs.md."""
