from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mooc_microcred', '0003_competencies'),
    ]

    operations = [
        migrations.AlterModelOptions(
            name='certificateask',
            options={'verbose_name': 'request for a certificate', 'verbose_name_plural': 'requests for certificates'},
        ),
        migrations.AddField(
            model_name='certificateask',
            name='ask_again_at',
            field=models.DateTimeField(null=True),
        ),
        migrations.AddField(
            model_name='certificateask',
            name='attempts',
            field=models.PositiveSmallIntegerField(null=True),
        ),
        migrations.AddIndex(
            model_name='award',
            index=models.Index(fields=['course_key', 'achievement', 'state'], name='microcred_award_run'),
        ),
        migrations.AddIndex(
            model_name='certificateask',
            index=models.Index(fields=['course_key', 'refusal'], name='microcred_ask_course'),
        ),
    ]
