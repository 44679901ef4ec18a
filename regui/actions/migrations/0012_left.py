from django.apps.registry import Apps
from django.db import migrations, models
from django.db.backends.base.schema import BaseDatabaseSchemaEditor


def remember(apps: Apps, schema_editor: BaseDatabaseSchemaEditor) -> None:
    """Who began a run that nobody approved is who it acts for; of the others that was overwritten."""
    rows = apps.get_model("actions", "Run").objects.using(schema_editor.connection.alias)
    rows.filter(approved_by="").update(begun_by=models.F("actor"))


class Migration(migrations.Migration):
    dependencies = [
        ("actions", "0011_allowed"),
    ]

    operations = [
        migrations.AddField(
            model_name="part",
            name="bare",
            field=models.PositiveIntegerField(help_text="of these, without a tag before", null=True),
        ),
        migrations.AddField(
            model_name="part",
            name="deleted",
            field=models.PositiveIntegerField(help_text="digests that were deleted", null=True),
        ),
        migrations.AddField(
            model_name="part",
            name="freed",
            field=models.PositiveBigIntegerField(help_text="bytes that nothing needs since", null=True),
        ),
        migrations.AddField(
            model_name="part",
            name="left",
            field=models.JSONField(
                default=list,
                help_text="[[tag or untagged digest, reason], …]: what of it didn't go when it was carried out",
            ),
        ),
        migrations.AddField(
            model_name="part",
            name="went",
            field=models.PositiveIntegerField(
                help_text="tags that went; null until its action has ended", null=True
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="bare",
            field=models.PositiveIntegerField(help_text="of these, without a tag before", null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="begun_by",
            field=models.CharField(
                blank=True, help_text="who began it; empty where that isn't known any more", max_length=150
            ),
        ),
        migrations.AddField(
            model_name="run",
            name="deleted",
            field=models.PositiveIntegerField(help_text="digests that it deleted", null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="freed",
            field=models.PositiveBigIntegerField(help_text="bytes that nothing needs since", null=True),
        ),
        migrations.AddField(
            model_name="run",
            name="went",
            field=models.PositiveIntegerField(help_text="tags that it dropped", null=True),
        ),
        migrations.AlterField(
            model_name="run",
            name="actor",
            field=models.CharField(
                help_text="with whose rights: of who approved it, by then", max_length=150
            ),
        ),
        migrations.RunPython(remember, migrations.RunPython.noop, elidable=True),
    ]
