"""Django's SQLite backend, set so that a web server and a worker can write to one file.

A transaction that reads first and writes later cannot wait for another writer in SQLite: it fails at
once. So every transaction says at its beginning that it will write, and waits its turn. Django can be
told so from 5.1 on; this works on 4.2 as well.
"""

from django.db.backends.sqlite3 import base


class DatabaseWrapper(base.DatabaseWrapper):
    """SQLite with a write-ahead log and immediate transactions."""

    def get_new_connection(self, conn_params):
        connection = super().get_new_connection(conn_params)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        return connection

    def _start_transaction_under_autocommit(self):
        self.cursor().execute("BEGIN IMMEDIATE")
