import django.db.models.deletion
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
        migrations.CreateModel(
            name='FunnelFigure',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('part', models.BigIntegerField(help_text='after which learner the part begins; -1 when it is the only one')),
                ('code', models.SlugField(db_index=False, help_text="of a course's Level 1, or of a programme", max_length=64)),
                ('kind', models.CharField(max_length=16)),
                ('organization', models.CharField(max_length=255)),
                ('month', models.DateField(help_text='first day of the month of enrolment')),
                ('step', models.CharField(max_length=16)),
                ('last', models.BooleanField(help_text='whether no step follows')),
                ('reached', models.PositiveIntegerField()),
                ('days_0', models.PositiveIntegerField(default=0)),
                ('days_7', models.PositiveIntegerField(default=0)),
                ('days_14', models.PositiveIntegerField(default=0)),
                ('days_30', models.PositiveIntegerField(default=0)),
                ('days_60', models.PositiveIntegerField(default=0)),
                ('days_90', models.PositiveIntegerField(default=0)),
                ('days_180', models.PositiveIntegerField(default=0)),
                ('days_365', models.PositiveIntegerField(default=0)),
            ],
            options={
                'verbose_name': 'figure of the funnel',
                'verbose_name_plural': 'figures of the funnel',
            },
        ),
        migrations.CreateModel(
            name='FunnelRefresh',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('as_of', models.DateTimeField(help_text='the moment for which its figures are right')),
                ('catalogue', models.CharField(help_text='token of the catalogue by which it counts', max_length=36)),
                ('after', models.BigIntegerField(default=0, help_text='highest learner id that was counted')),
                ('enrolments', models.PositiveBigIntegerField(default=0)),
                ('claim', models.CharField(blank=True, default='', max_length=32)),
                ('claimed_until', models.DateTimeField(null=True)),
                ('finished_at', models.DateTimeField(db_index=True, null=True)),
            ],
            options={
                'verbose_name': 'refresh of the figures',
                'verbose_name_plural': 'refreshes of the figures',
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
        migrations.AddField(
            model_name='funnelfigure',
            name='refresh',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='figures', to='mooc_microcred.funnelrefresh'),
        ),
        migrations.AddConstraint(
            model_name='funnelfigure',
            constraint=models.UniqueConstraint(fields=('refresh', 'kind', 'code', 'month', 'step', 'part'), name='microcred_figure_once'),
        ),
    ]
