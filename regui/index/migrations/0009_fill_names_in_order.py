from typing import Any

from django.db import migrations

from regui.index.models import is_release, name_key

BATCH = 1_000


def fill(apps: Any, schema_editor: Any) -> None:
    """Give the tags there are what writing them gives them from now on."""
    rows = apps.get_model("index", "Tag").objects.order_by("pk").values_list("pk", "name")
    after = 0
    while some := list(rows.filter(pk__gt=after)[:BATCH]):
        # By way of models this would take minutes for half a million tags.
        with schema_editor.connection.cursor() as cursor:
            cursor.executemany(
                "UPDATE index_tag SET name_key = %s, release = %s WHERE id = %s",
                [(name_key(name), is_release(name), pk) for pk, name in some],
            )
        after = some[-1][0]


class Migration(migrations.Migration):
    dependencies = [("index", "0008_names_in_order")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
