"""What each room plugs into the others, called once per process from AppConfig.ready."""


def register() -> None:
    """Register evidence sources, outbox subscribers and system checks; again is harmless."""
