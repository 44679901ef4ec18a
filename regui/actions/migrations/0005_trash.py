import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("actions", "0004_protection"),
    ]

    operations = [
        migrations.CreateModel(
            name="Garbage",
            fields=[
                ("registry", models.CharField(max_length=32, primary_key=True, serialize=False)),
                ("as_of", models.DateTimeField(help_text="when it was summed up")),
                (
                    "size",
                    models.PositiveBigIntegerField(
                        default=0, help_text="bytes that only deleted manifests need"
                    ),
                ),
                ("manifests", models.PositiveIntegerField(default=0, help_text="how many those are")),
                ("since", models.DateTimeField(help_text="since when the first of them waits", null=True)),
                (
                    "looked_at",
                    models.DateTimeField(help_text="when a collection was last looked for", null=True),
                ),
                (
                    "doubt",
                    models.TextField(
                        blank=True, help_text="why that look proves nothing; empty when it does"
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "garbage",
            },
        ),
        migrations.CreateModel(
            name="Remains",
            fields=[
                (
                    "item",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="remains",
                        serialize=False,
                        to="actions.item",
                    ),
                ),
                ("looked_at", models.DateTimeField(help_text="when its blobs were last asked for")),
                (
                    "there_at",
                    models.DateTimeField(help_text="when all of them were last seen to be there", null=True),
                ),
                (
                    "blobs",
                    models.PositiveIntegerField(help_text="how many it needs, its children's among them"),
                ),
                (
                    "alone",
                    models.PositiveIntegerField(
                        help_text="of these, how many nothing else needs that is known"
                    ),
                ),
                (
                    "gone",
                    models.JSONField(default=list, help_text="digests of those that can't be read any more"),
                ),
            ],
            options={
                "verbose_name_plural": "remains",
            },
        ),
        migrations.CreateModel(
            name="Collection",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("registry", models.CharField(max_length=32)),
                ("after", models.DateTimeField()),
                ("before", models.DateTimeField()),
                (
                    "blobs",
                    models.PositiveIntegerField(
                        help_text="how many were found to be gone when it was noticed"
                    ),
                ),
            ],
            options={
                "ordering": ["-before"],
                "get_latest_by": "before",
                "indexes": [models.Index(fields=["registry", "-before"], name="collection_latest")],
            },
        ),
    ]
