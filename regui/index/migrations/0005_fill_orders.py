from datetime import datetime
from typing import Any

from django.db import migrations
from django.db.models import Exists, OuterRef
from django.utils import timezone


def fill(apps: Any, schema_editor: Any) -> None:
    """Give the rows there are the keys that writing them gives them from now on."""
    tags, repositories, manifests = (
        apps.get_model("index", name).objects for name in ("Tag", "Repository", "Manifest")
    )
    on = manifests.filter(Exists(tags.filter(manifest=OuterRef("pk"))))
    for pk, size, created_at in on.values_list("pk", "size", "created_at").iterator():
        tags.filter(manifest=pk).update(created_key=seconds(created_at), size_key=known(size))
    for row in repositories.only("size", "changed_at", "tag_count").iterator():
        repositories.filter(pk=row.pk).update(
            changed_key=seconds(row.changed_at),
            size_key=known(row.size),
            tags_key=known(row.tag_count),
            unsettled_at=timezone.now(),
        )


def seconds(moment: datetime | None) -> int:
    return -1 if moment is None else max(int(moment.timestamp()), 0)


def known(number: int | None) -> int:
    return -1 if number is None else number


class Migration(migrations.Migration):
    dependencies = [("index", "0004_sums_and_orders")]
    operations = [migrations.RunPython(fill, migrations.RunPython.noop, elidable=True)]
