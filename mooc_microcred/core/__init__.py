"""What every room stands on: settings, clock, dates, audit, outbox, lease, identity, ports."""
