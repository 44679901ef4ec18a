from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("index", "0002_the_index_at_scale")]

    operations = [
        migrations.AddField(
            model_name="repository",
            name="filled_at",
            field=models.DateTimeField(
                help_text="its first complete tag listing: what comes later is news", null=True
            ),
        ),
        migrations.RunSQL(
            "UPDATE index_repository SET filled_at = listed_at WHERE listed_at IS NOT NULL",
            migrations.RunSQL.noop,
        ),
    ]
