import django.db.models.deletion
import mooc_microcred.competencies.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mooc_microcred', '0002_credentials'),
    ]

    operations = [
        migrations.CreateModel(
            name='Association',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(max_length=36)),
                ('uri', models.CharField(blank=True, default='', max_length=500)),
                ('kind', models.CharField(max_length=64)),
                ('origin', models.CharField(help_text='identifier', max_length=255)),
                ('origin_uri', models.CharField(blank=True, default='', max_length=500)),
                ('destination', models.CharField(help_text='identifier', max_length=255)),
                ('destination_uri', models.CharField(blank=True, default='', max_length=500)),
                ('sequence', models.IntegerField(blank=True, null=True)),
                ('extras', models.JSONField(default=dict)),
                ('changed', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'association of competencies',
                'verbose_name_plural': 'associations of competencies',
            },
        ),
        migrations.CreateModel(
            name='Competency',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(max_length=36)),
                ('uri', models.CharField(blank=True, default='', max_length=500)),
                ('code', models.CharField(blank=True, default='', max_length=128)),
                ('statement_th', models.TextField(blank=True, default='')),
                ('statement_en', models.TextField(blank=True, default='')),
                ('domain', models.CharField(blank=True, choices=[('knowledge', 'knowledge'), ('skills', 'skills'), ('ethics', 'ethics'), ('character', 'character')], default='', max_length=16)),
                ('miller', models.CharField(blank=True, choices=[('knows', 'knows'), ('knows_how', 'knows how'), ('shows_how', 'shows how'), ('does', 'does')], default='', max_length=16)),
                ('nqf_level', models.PositiveSmallIntegerField(blank=True, null=True)),
                ('ordinal', models.PositiveIntegerField(default=0)),
                ('depth', models.PositiveSmallIntegerField(default=0)),
                ('child_count', models.PositiveIntegerField(default=0)),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
                ('successor_framework', models.CharField(blank=True, default='', max_length=36)),
                ('successor_item', models.CharField(blank=True, default='', max_length=36)),
                ('search', models.TextField(blank=True, default='')),
                ('extras', models.JSONField(default=dict)),
                ('changed', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'competency',
                'verbose_name_plural': 'competencies',
            },
        ),
        migrations.CreateModel(
            name='ContentTag',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('digest', models.CharField(max_length=32, unique=True)),
                ('course_key', models.CharField(max_length=255)),
                ('source', models.CharField(choices=[('olx', 'block'), ('taxonomy', 'tag drawer')], max_length=10)),
                ('said_by', models.CharField(max_length=255)),
                ('usage_key', models.CharField(help_text='what it covers', max_length=255)),
                ('unit', models.CharField(blank=True, default='', help_text='that it lies in', max_length=255)),
                ('relation', models.CharField(choices=[('teaches', 'teaches'), ('practises', 'practises'), ('assesses', 'assesses')], max_length=10)),
                ('framework', models.CharField(max_length=36)),
                ('item', models.CharField(max_length=36)),
                ('weight', models.DecimalField(decimal_places=3, default=1, max_digits=9)),
                ('pieces', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'competency tag',
                'verbose_name_plural': 'competency tags',
            },
        ),
        migrations.CreateModel(
            name='CourseSync',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('course_key', models.CharField(max_length=255, unique=True)),
                ('reason', models.CharField(blank=True, default='', max_length=64)),
                ('mark', models.CharField(default=mooc_microcred.competencies.models.new_uuid, max_length=36)),
                ('due', models.DateTimeField(db_index=True, null=True)),
                ('claim', models.CharField(blank=True, default='', max_length=32)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('last_error', models.CharField(blank=True, default='', max_length=255)),
                ('published_at', models.DateTimeField(null=True)),
                ('synced_at', models.DateTimeField(null=True)),
                ('version', models.CharField(blank=True, default='', max_length=64)),
                ('units', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'synchronisation of a course',
                'verbose_name_plural': 'synchronisation of courses',
            },
        ),
        migrations.CreateModel(
            name='Framework',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('identifier', models.CharField(max_length=36, unique=True)),
                ('uri', models.CharField(blank=True, default='', help_text='empty: our address', max_length=500)),
                ('title_th', models.CharField(blank=True, default='', max_length=500)),
                ('title_en', models.CharField(blank=True, default='', max_length=500)),
                ('creator', models.CharField(blank=True, default='', max_length=500)),
                ('organization', models.CharField(db_index=True, help_text='short name on the platform', max_length=255)),
                ('version', models.CharField(blank=True, default='', max_length=64)),
                ('language', models.CharField(blank=True, default='th', max_length=16)),
                ('state', models.CharField(choices=[('draft', 'draft'), ('published', 'published'), ('retired', 'retired')], default='draft', max_length=10)),
                ('revision', models.CharField(default=mooc_microcred.competencies.models.new_uuid, help_text='changes with every change', max_length=36)),
                ('document', models.JSONField(default=dict)),
                ('definitions', models.JSONField(default=dict)),
                ('rubrics', models.JSONField(default=list)),
                ('taxonomy', models.CharField(blank=True, default='', help_text="export id of the platform's taxonomy", max_length=255)),
                ('changed', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'competency framework',
                'verbose_name_plural': 'competency frameworks',
            },
        ),
        migrations.CreateModel(
            name='FrameworkImport',
            fields=[
                ('token', models.CharField(default=mooc_microcred.competencies.models.new_uuid, max_length=36, primary_key=True, serialize=False)),
                ('framework', models.CharField(max_length=36)),
                ('organization', models.CharField(max_length=255)),
                ('revision', models.CharField(blank=True, default='', help_text='compared with', max_length=36)),
                ('content', models.BinaryField()),
                ('created', models.DateTimeField(db_index=True)),
                ('created_by', models.BigIntegerField(null=True)),
                ('committed_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='LearnerEvidence',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('learner_id', models.BigIntegerField()),
                ('framework', models.CharField(max_length=36)),
                ('item', models.CharField(max_length=36)),
                ('course_key', models.CharField(max_length=255)),
                ('usage_key', models.CharField(max_length=255)),
                ('digest', models.CharField(help_text='of the usage key, whose letter case counts', max_length=32)),
                ('percent', models.DecimalField(decimal_places=2, max_digits=5)),
                ('weight', models.DecimalField(decimal_places=3, default=1, max_digits=9)),
                ('miller', models.CharField(blank=True, default='', max_length=16)),
                ('at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'evidence of a competency',
                'verbose_name_plural': 'evidence of competencies',
            },
        ),
        migrations.CreateModel(
            name='Mastery',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('learner_id', models.BigIntegerField()),
                ('framework', models.CharField(max_length=36)),
                ('item', models.CharField(max_length=36)),
                ('status', models.CharField(choices=[('PartiallyAttempted', 'partially attempted'), ('AttemptedNotDemonstrated', 'attempted, not demonstrated'), ('Demonstrated', 'demonstrated')], max_length=24)),
                ('since', models.DateTimeField()),
                ('demonstrated_at', models.DateTimeField(null=True)),
                ('figures', models.JSONField(default=dict)),
                ('evidence', models.JSONField(default=list)),
            ],
            options={
                'verbose_name': 'mastery of a competency',
                'verbose_name_plural': 'mastery of competencies',
            },
        ),
        migrations.CreateModel(
            name='MasteryCriteria',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('item', models.CharField(blank=True, default='', help_text='identifier; empty: every item without its own', max_length=36)),
                ('number', models.PositiveIntegerField()),
                ('live', models.BooleanField(default=True, null=True)),
                ('rule', models.JSONField()),
                ('activated_at', models.DateTimeField()),
                ('retired_at', models.DateTimeField(blank=True, null=True)),
            ],
            options={
                'verbose_name': 'mastery criteria',
                'verbose_name_plural': 'mastery criteria',
            },
        ),
        migrations.AddField(
            model_name='competency',
            name='parent',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='mooc_microcred.competency'),
        ),
        migrations.AddIndex(
            model_name='contenttag',
            index=models.Index(fields=['course_key', 'relation'], name='microcred_tag_course'),
        ),
        migrations.AddIndex(
            model_name='contenttag',
            index=models.Index(fields=['framework', 'item'], name='microcred_tag_competency'),
        ),
        migrations.AddIndex(
            model_name='framework',
            index=models.Index(fields=['taxonomy'], name='microcred_framework_taxonomy'),
        ),
        migrations.AddField(
            model_name='competency',
            name='framework',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='mooc_microcred.framework'),
        ),
        migrations.AddField(
            model_name='association',
            name='framework',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='associations', to='mooc_microcred.framework'),
        ),
        migrations.AddConstraint(
            model_name='learnerevidence',
            constraint=models.UniqueConstraint(fields=('learner_id', 'framework', 'item', 'digest'), name='microcred_evidence_piece'),
        ),
        migrations.AddField(
            model_name='masterycriteria',
            name='framework',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='criteria', to='mooc_microcred.framework'),
        ),
        migrations.AddField(
            model_name='mastery',
            name='criteria',
            field=models.ForeignKey(help_text='that judged it', null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mooc_microcred.masterycriteria'),
        ),
        migrations.AddIndex(
            model_name='competency',
            index=models.Index(fields=['identifier'], name='microcred_competency_ident'),
        ),
        migrations.AddIndex(
            model_name='competency',
            index=models.Index(fields=['framework', 'ordinal'], name='microcred_competency_order'),
        ),
        migrations.AddIndex(
            model_name='competency',
            index=models.Index(fields=['successor_item'], name='microcred_competency_succ'),
        ),
        migrations.AddConstraint(
            model_name='competency',
            constraint=models.UniqueConstraint(fields=('framework', 'identifier'), name='microcred_competency_item'),
        ),
        migrations.AddIndex(
            model_name='association',
            index=models.Index(fields=['origin'], name='microcred_association_from'),
        ),
        migrations.AddIndex(
            model_name='association',
            index=models.Index(fields=['destination'], name='microcred_association_to'),
        ),
        migrations.AddConstraint(
            model_name='association',
            constraint=models.UniqueConstraint(fields=('framework', 'identifier'), name='microcred_association_ident'),
        ),
        migrations.AddConstraint(
            model_name='masterycriteria',
            constraint=models.UniqueConstraint(fields=('framework', 'item', 'number'), name='microcred_mastery_number'),
        ),
        migrations.AddConstraint(
            model_name='masterycriteria',
            constraint=models.UniqueConstraint(fields=('framework', 'item', 'live'), name='microcred_mastery_live'),
        ),
        migrations.AddIndex(
            model_name='mastery',
            index=models.Index(fields=['framework', 'item', 'status'], name='microcred_mastery_item'),
        ),
        migrations.AddConstraint(
            model_name='mastery',
            constraint=models.UniqueConstraint(fields=('learner_id', 'framework', 'item'), name='microcred_mastery_learner'),
        ),
    ]
