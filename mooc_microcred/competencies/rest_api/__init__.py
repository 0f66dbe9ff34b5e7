"""REST API of the competencies room."""
