"""Pages of the credit officer."""
