"""What people see at a glance, put together from all rooms: read only, no tables of its own."""
