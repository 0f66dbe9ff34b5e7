from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mooc_microcred', '0003_competencies'),
    ]

    operations = [
        migrations.CreateModel(
            name='Backfill',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('course_keys', models.JSONField(help_text='runs whose certificates are concerned')),
                ('announce', models.BooleanField(help_text='whether each learner is told')),
                ('created', models.DateTimeField()),
                ('after', models.BigIntegerField(default=0, help_text="the platform's key of the last certificate done")),
                ('examined', models.PositiveBigIntegerField(default=0)),
                ('issued', models.PositiveBigIntegerField(default=0)),
                ('changed', models.PositiveBigIntegerField(default=0)),
                ('finished_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'backfill',
                'verbose_name_plural': 'backfills',
            },
        ),
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
        migrations.AlterField(
            model_name='achievement',
            name='kind',
            field=models.CharField(choices=[('level1', 'Level 1: completion'), ('level2', 'Level 2: achievement'), ('competency', 'demonstrated competency'), ('programme', 'programme')], max_length=16),
        ),
        migrations.AlterField(
            model_name='outboxmessage',
            name='state',
            field=models.CharField(choices=[('pending', 'pending'), ('new', 'pending, for workers of this release'), ('done', 'done'), ('dead', 'dead letter')], default='pending', max_length=8),
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
