"""Frameworks of competencies, what course content says about them, and what learners have shown of them."""
