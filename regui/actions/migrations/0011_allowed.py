from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def remember(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """What was approved is as a rule what stands there."""
    rows = apps.get_model("actions", "PolicyRow").objects.using(schema_editor.connection.alias)
    rows.exclude(approved="").update(allowed=models.F("document"))


class Migration(migrations.Migration):
    dependencies = [
        ("actions", "0010_summaries"),
    ]

    operations = [
        migrations.AddField(
            model_name="policyrow",
            name="allowed",
            field=models.JSONField(
                help_text="the policy as it was when somebody last let it go ahead", null=True
            ),
        ),
        migrations.RunPython(remember, migrations.RunPython.noop, elidable=True),
    ]
