from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("index", "0013_capabilities")]
    operations = [
        migrations.CreateModel(
            name="Entry",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=32, unique=True)),
                ("url", models.CharField(max_length=500)),
                ("username", models.CharField(blank=True, max_length=255)),
                ("password", models.TextField(blank=True, help_text="sealed")),
                ("verify", models.BooleanField(default=True)),
                (
                    "ca",
                    models.TextField(
                        blank=True, help_text="certificates to trust instead of the system's, in PEM"
                    ),
                ),
                ("cert", models.TextField(blank=True, help_text="a client certificate, in PEM")),
                ("key", models.TextField(blank=True, help_text="sealed; its private key, in PEM")),
                ("pull_host", models.CharField(blank=True, max_length=255)),
                (
                    "hidden",
                    models.BooleanField(default=False, help_text="taken off the pages; nothing is forgotten"),
                ),
                ("added_by", models.CharField(max_length=255)),
                ("added_at", models.DateTimeField()),
                ("changed_by", models.CharField(max_length=255)),
                ("changed_at", models.DateTimeField()),
            ],
            options={
                "verbose_name_plural": "entries",
                "ordering": ["name"],
            },
        ),
    ]
