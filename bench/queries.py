"""How many database queries each of some pages takes, as JSON: {path: queries}.

    python -m bench.queries /main/ /main/team/app/       (with regui's environment)

Each page is opened once before it is counted, as every page was that isn't the first.
"""

import json
import os
import sys

import django
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "regui.settings")


def count(path: str) -> int:
    """The queries of one page; raises when it isn't a page."""
    client = Client(headers={"host": "localhost"})
    client.get(path)
    with CaptureQueriesContext(connection) as captured:
        response = client.get(path)
    if response.status_code != 200:
        raise RuntimeError(f"{path}: {response.status_code}")
    return len(captured)


if __name__ == "__main__":
    django.setup()
    print(json.dumps({path: count(path) for path in sys.argv[1:]}))
