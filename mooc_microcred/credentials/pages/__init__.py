"""Public pages of the credentials room, for people and machines, without login."""
