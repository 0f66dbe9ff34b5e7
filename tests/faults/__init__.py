"""What breaks in earnest: killed and paused workers, races, a silent broker, on MariaDB and Redis."""
