"""URLs of version 1."""

urlpatterns: list = []
