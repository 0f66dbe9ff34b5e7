"""Pages on which learners see what they have, what is missing and what became of it."""
