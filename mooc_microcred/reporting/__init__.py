"""Read-only figures for staff: where learners stop on the way to credit."""
