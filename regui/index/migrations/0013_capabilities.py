from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("index", "0012_searching")]
    operations = [
        migrations.AddField(
            model_name="registry",
            name="capabilities",
            field=models.JSONField(
                default=dict,
                help_text='{"deletes": {"state": "no", "detail": …, "evidence": …, "at": …}, …}: what it can do, '
                "as it was found out",
            ),
        ),
        migrations.AddField(
            model_name="registry",
            name="examined_at",
            field=models.DateTimeField(help_text="when that was last asked; null means ask again", null=True),
        ),
        migrations.AddIndex(
            model_name="revision",
            index=models.Index(
                condition=models.Q(gone_at__isnull=False), fields=["-gone_at"], name="revision_gone"
            ),
        ),
    ]
