from typing import Any

from django.db import migrations, models
from django.db.models import Exists, OuterRef, Q


def fill(apps: Any, schema_editor: Any) -> None:
    """Mark what a tag leads to as the sums over its repository do from now on."""
    revisions, tags, children = (
        apps.get_model("index", name).objects for name in ("Revision", "Tag", "Child")
    )
    tag = tags.filter(repository=OuterRef("repository"), manifest=OuterRef("manifest"), gone_at=None)
    inside = children.filter(
        manifest=OuterRef("manifest"),
        parent__revisions__repository=OuterRef("repository"),
        parent__revisions__gone_at=None,
    ).order_by()
    about = apps.get_model("index", "Manifest").objects.exclude(subject="").values("pk")
    revisions.filter(Q(Exists(tag)) | Q(Exists(inside)) | Q(manifest__in=about)).update(loose=False)


class Migration(migrations.Migration):
    dependencies = [("index", "0011_smaller")]
    operations = [
        migrations.AddField(
            model_name="revision",
            name="loose",
            field=models.BooleanField(
                default=True,
                help_text="whether no tag may lead to it; so, or not so, since its repository was summed up",
            ),
        ),
        migrations.AddIndex(
            model_name="revision",
            index=models.Index(condition=Q(loose=True), fields=["repository"], name="revision_loose"),
        ),
        migrations.AddIndex(
            model_name="tag",
            index=models.Index(condition=Q(pulled_at__isnull=False), fields=["pulled_at"], name="tag_pulled"),
        ),
        migrations.AddIndex(
            model_name="tag",
            index=models.Index(condition=Q(folded=True), fields=["repository"], name="tag_folded"),
        ),
        migrations.RunPython(fill, migrations.RunPython.noop, elidable=True),
    ]
