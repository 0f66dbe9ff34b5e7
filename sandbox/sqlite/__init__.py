"""SQLite as several processes can share it."""
