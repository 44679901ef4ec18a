from typing import Any

import django.db.models.deletion
from django.db import migrations, models

import regui.index.models.digests

# The foreign keys whose own index serves nobody, since a constraint's begins with them: by the names that Django
# gave, for to alter a field would copy its table on SQLite.
DROPPED = {
    "index_blob_registry_id_4d6e1823": ("blob", "registry", "index.registry", "blobs"),
    "index_blobuse_manifest_id_087184e6": ("blobuse", "manifest", "index.manifest", "blob_uses"),
    "index_child_parent_id_c28fdd3c": ("child", "parent", "index.manifest", "children"),
    "index_manifest_registry_id_e6289467": ("manifest", "registry", "index.registry", "manifests"),
    "index_revision_repository_id_e2701d50": ("revision", "repository", "index.repository", "revisions"),
    "index_tag_repository_id_2d4ca820": ("tag", "repository", "index.repository", "tags"),
}


def to_bytes(apps: Any, schema_editor: Any) -> None:
    """Turn digests that came along as text, or as the bytes of text, into what they are from now on."""
    if schema_editor.connection.vendor == "sqlite":
        database = schema_editor.connection.connection
        database.create_function("raw_digest", 1, regui.index.models.digests.raw, deterministic=True)
        schema_editor.execute("UPDATE index_blob SET digest = raw_digest(digest)")
        return
    for algorithm, code in regui.index.models.digests.CODES.items():
        schema_editor.execute(
            "UPDATE index_blob SET digest = decode(%s || substr(convert_from(digest, 'UTF8'), %s), 'hex')"
            " WHERE digest LIKE %s",
            [code.hex(), len(algorithm) + 2, f"{algorithm}:%".encode()],
        )


class Migration(migrations.Migration):
    dependencies = [
        ("index", "0010_names_by_hand"),
    ]

    operations = [
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(f"DROP INDEX IF EXISTS {name}") for name in DROPPED],
            state_operations=[
                migrations.AlterField(
                    model_name=model,
                    name=name,
                    field=models.ForeignKey(
                        db_index=False,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name=related_name,
                        to=to,
                    ),
                )
                for model, name, to, related_name in DROPPED.values()
            ],
        ),
        migrations.RemoveField(model_name="blob", name="media_type"),
        migrations.RemoveField(model_name="layer", name="media_type"),
        migrations.AlterField(
            model_name="blob", name="digest", field=regui.index.models.digests.DigestField()
        ),
        migrations.RunPython(to_bytes, migrations.RunPython.noop),
    ]
