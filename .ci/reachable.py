#!/usr/bin/env python3
"""Say by the exit code whether MariaDB answers with the account of the test run (see tests/settings.py)."""

import os
import sys

try:
    import MySQLdb
except ImportError:
    sys.exit("The mysqlclient package is not installed.")
try:
    connection = MySQLdb.connect(
        host="127.0.0.1",
        port=int(os.environ.get("MICROCRED_TEST_DB_PORT", "3306")),
        user=os.environ.get("MICROCRED_TEST_DB_USER", "microcred"),
        passwd=os.environ.get("MICROCRED_TEST_DB_PASSWORD", "microcred"),
        connect_timeout=5,
    )
except MySQLdb.Error as error:
    sys.exit(f"MariaDB does not answer: {error.args[-1]}")
connection.close()
