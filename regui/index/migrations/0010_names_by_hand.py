"""How names are learnt where there is no catalog."""

from typing import Any

from django.db import migrations, models

UNLISTED = "This registry doesn't list its repositories."


def carry(apps: Any, schema_editor: Any) -> None:
    """That a registry lists nothing was kept as a problem, and what was opened there as if it had listed it."""
    registries = apps.get_model("index", "Registry").objects.filter(problem__startswith=UNLISTED)
    for registry in registries:
        registry.unlisted, registry.problem = registry.problem, ""
        registry.save(update_fields=["unlisted", "problem"])
        if registry.listed_at is None:
            registry.repositories.filter(source="catalog").update(source="opened")


class Migration(migrations.Migration):
    dependencies = [("index", "0009_fill_names_in_order")]

    operations = [
        migrations.AddField(
            model_name="registry",
            name="unlisted",
            field=models.TextField(
                blank=True,
                default="",
                help_text="why there is no catalog to take names from; empty when there is one",
            ),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="registry",
            name="names",
            field=models.TextField(
                blank=True, help_text="repositories that people named, one a line; the settings may name more"
            ),
        ),
        migrations.AlterField(
            model_name="repository",
            name="source",
            field=models.CharField(
                choices=[
                    ("catalog", "Catalog"),
                    ("hand", "Hand"),
                    ("event", "Event"),
                    ("opened", "Opened"),
                ],
                default="catalog",
                help_text="how regui learnt its name; a catalog outranks the others",
                max_length=8,
            ),
        ),
        migrations.RunPython(carry, migrations.RunPython.noop, elidable=True),
    ]
