from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("actions", "0012_left"),
    ]

    operations = [
        migrations.AddField(
            model_name="run",
            name="pausing",
            field=models.BooleanField(
                default=False, help_text="nobody is at it until then: it only waits for its next try"
            ),
        ),
    ]
