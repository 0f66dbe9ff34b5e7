"""Pages of the competencies room for people, in Studio and in the LMS."""
