"""The way into a credit bank: accounts, consent, records, deliveries and their back ends."""
