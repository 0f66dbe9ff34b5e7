"""Checking credentials, our own and those of strangers, without trusting what they say of themselves."""
