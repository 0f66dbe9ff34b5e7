"""Stacks: requirement trees over achievements, and how far a learner is in them."""
