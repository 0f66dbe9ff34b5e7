"""What every endpoint of the REST API stands on, and the core room's own endpoints."""
