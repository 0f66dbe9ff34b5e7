"""What can be earned, the requests to evaluate it, and the awards and their life."""
