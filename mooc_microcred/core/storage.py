"""The private storage: where files with personal data live, never the public media storage."""

from __future__ import annotations

from django.core.exceptions import ImproperlyConfigured
from django.core.files.storage import FileSystemStorage, Storage, storages
from django.utils.module_loading import import_string

from mooc_microcred.core.conf import microcred_settings


class PrivateFileSystemStorage(FileSystemStorage):
    """Files below PRIVATE_STORAGE_ROOT, readable by the server's user only, without any URL."""

    def __init__(self):
        root = microcred_settings.PRIVATE_STORAGE_ROOT
        if not root:
            raise ImproperlyConfigured("MOOC_MICROCRED['PRIVATE_STORAGE_ROOT'] is not set")
        super().__init__(
            location=root, base_url=None, file_permissions_mode=0o600, directory_permissions_mode=0o700
        )

    def url(self, name):
        """Refuse: a private file is only ever read by the server."""
        raise ValueError("a file in the private storage has no URL")


def private_storage() -> Storage:
    """Return the storage of personal files, as MOOC_MICROCRED['PRIVATE_STORAGE'] names it.

    Raises:
        ImproperlyConfigured: no such storage, or no root for the default one.
    """
    name = microcred_settings.PRIVATE_STORAGE
    if not name:
        return PrivateFileSystemStorage()
    if "." in name:
        return import_string(name)()
    return storages[name]
