from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = []

    operations = [
        migrations.CreateModel(
            name="Heartbeat",
            fields=[
                (
                    "beat",
                    models.CharField(max_length=200, primary_key=True, serialize=False),
                ),
                ("at", models.DateTimeField()),
                ("count", models.IntegerField(default=0)),
            ],
            options={
                "ordering": ("-at",),
            },
        ),
        migrations.CreateModel(
            name="Number",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("value", models.BigIntegerField()),
                ("asked_at", models.DateTimeField(auto_now_add=True)),
                ("finished_at", models.DateTimeField(null=True)),
                ("factors", models.JSONField(null=True)),
                ("worker", models.CharField(default="", max_length=200)),
            ],
            options={
                "ordering": ("-asked_at",),
            },
        ),
        migrations.CreateModel(
            name="Report",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("at", models.DateTimeField(auto_now_add=True)),
                ("asked", models.IntegerField()),
                ("finished", models.IntegerField()),
            ],
            options={
                "get_latest_by": "at",
            },
        ),
    ]
