import stat
from pathlib import Path

import pytest
from django.core.exceptions import ImproperlyConfigured
from django.core.files.base import ContentFile
from django.core.files.storage import FileSystemStorage

from mooc_microcred.core.storage import PrivateFileSystemStorage, private_storage


@pytest.fixture
def root(settings, tmp_path):
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "PRIVATE_STORAGE_ROOT": str(tmp_path / "private")}
    return tmp_path / "private"


def test_a_private_file_is_readable_by_its_owner_only_and_has_no_url(root):
    name = private_storage().save("exams/a.csv", ContentFile(b"1101700230708"))
    path = root / name
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    with pytest.raises(ValueError, match="no URL"):
        private_storage().url(name)


def test_a_name_cannot_leave_the_root(root):
    with pytest.raises(Exception, match=r"\.\."):
        private_storage().save("../outside.csv", ContentFile(b"x"))


def test_without_a_root_nothing_is_stored_anywhere(settings):
    settings.MOOC_MICROCRED = {}
    with pytest.raises(ImproperlyConfigured, match="PRIVATE_STORAGE_ROOT"):
        private_storage()


def test_an_alias_of_storages_or_a_dotted_path_can_be_named(settings, root):
    settings.STORAGES = {
        **settings.STORAGES,
        "vault": {
            "BACKEND": "django.core.files.storage.FileSystemStorage",
            "OPTIONS": {"location": str(root / "vault")},
        },
    }
    settings.MOOC_MICROCRED = {**settings.MOOC_MICROCRED, "PRIVATE_STORAGE": "vault"}
    vault = private_storage()
    assert isinstance(vault, FileSystemStorage)
    assert Path(vault.location) == root / "vault"
    settings.MOOC_MICROCRED = {
        **settings.MOOC_MICROCRED,
        "PRIVATE_STORAGE": "mooc_microcred.core.storage.PrivateFileSystemStorage",
    }
    assert isinstance(private_storage(), PrivateFileSystemStorage)
