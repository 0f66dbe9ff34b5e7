import django.db.models.deletion
import mooc_microcred.achievements.models
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('mooc_microcred', '0001_initial'),
    ]

    operations = [
        migrations.CreateModel(
            name='CertificateTemplate',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(blank=True, default='', help_text='empty: every kind', max_length=16)),
                ('settings', models.JSONField(default=dict)),
                ('changed_at', models.DateTimeField()),
                ('changed_by', models.BigIntegerField(null=True)),
            ],
            options={
                'verbose_name': 'template of certificates',
                'verbose_name_plural': 'templates of certificates',
            },
        ),
        migrations.CreateModel(
            name='Credential',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.CharField(default=mooc_microcred.achievements.models.new_uuid, max_length=36, unique=True)),
                ('live', models.BooleanField(default=True, null=True)),
                ('learner_id', models.BigIntegerField(db_index=True)),
                ('valid_from', models.DateTimeField()),
                ('valid_until', models.DateTimeField(null=True)),
                ('signed_at', models.DateTimeField()),
                ('content', models.CharField(max_length=64)),
                ('superseded_at', models.DateTimeField(null=True)),
                ('status_index', models.PositiveIntegerField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('suspended_at', models.DateTimeField(null=True)),
                ('status_reason', models.CharField(blank=True, default='', max_length=64)),
                ('visibility', models.CharField(blank=True, choices=[('public', 'public: search engines may list it'), ('link', 'whoever has the link'), ('private', 'only me')], default='', max_length=8)),
                ('name_choice', models.CharField(blank=True, default='', max_length=16)),
                ('shown_name', models.CharField(blank=True, default='', max_length=255)),
            ],
            options={
                'verbose_name': 'credential',
                'verbose_name_plural': 'credentials',
            },
        ),
        migrations.CreateModel(
            name='CredentialDue',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('due', models.DateTimeField(db_index=True)),
                ('claim', models.CharField(blank=True, default='', max_length=32)),
                ('attempts', models.PositiveIntegerField(default=0)),
                ('reason', models.CharField(blank=True, default='', help_text='a code: why it waits', max_length=64)),
            ],
            options={
                'verbose_name': 'credential to be made',
                'verbose_name_plural': 'credentials to be made',
            },
        ),
        migrations.CreateModel(
            name='DocumentDictionary',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('sha256', models.CharField(max_length=64, unique=True)),
                ('content', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='Endorsement',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.CharField(default=mooc_microcred.achievements.models.new_uuid, max_length=36, unique=True)),
                ('live', models.BooleanField(default=True, null=True)),
                ('comment', models.JSONField(help_text='Thai and English')),
                ('body', models.TextField(editable=False)),
                ('made_at', models.DateTimeField()),
                ('made_by', models.BigIntegerField(null=True)),
                ('withdrawn_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'endorsement',
                'verbose_name_plural': 'endorsements',
            },
        ),
        migrations.CreateModel(
            name='IssuerKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField(help_text='counted for each issuer, names it in the DID document')),
                ('state', models.CharField(choices=[('active', 'signs'), ('retired', 'retired: signs no more, what it signed stays valid'), ('revoked', 'revoked: nothing that it signed is to be trusted from a time on')], default='active', max_length=8)),
                ('current', models.BooleanField(default=True, null=True)),
                ('public_key', models.CharField(help_text='Multikey: z6Mk…', max_length=64, unique=True)),
                ('private_key_encrypted', models.BinaryField(default=b'')),
                ('reference', models.CharField(blank=True, default='', max_length=255)),
                ('created', models.DateTimeField()),
                ('retired_at', models.DateTimeField(null=True)),
                ('revoked_from', models.DateTimeField(null=True)),
                ('revoked_at', models.DateTimeField(null=True)),
            ],
            options={
                'verbose_name': 'key of an issuer',
                'verbose_name_plural': 'keys of issuers',
            },
        ),
        migrations.CreateModel(
            name='IssueWalk',
            fields=[
                ('id', models.PositiveSmallIntegerField(default=1, primary_key=True, serialize=False)),
                ('after_award', models.BigIntegerField(default=0)),
                ('found', models.PositiveBigIntegerField(default=0)),
                ('started_at', models.DateTimeField()),
                ('finished_at', models.DateTimeField(null=True)),
            ],
        ),
        migrations.CreateModel(
            name='LearnerDid',
            fields=[
                ('learner_id', models.BigIntegerField(primary_key=True, serialize=False)),
                ('did', models.CharField(max_length=255)),
                ('proved_at', models.DateTimeField()),
            ],
        ),
        migrations.CreateModel(
            name='Picture',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.CharField(default=mooc_microcred.achievements.models.new_uuid, max_length=36, unique=True)),
                ('purpose', models.CharField(choices=[('logo', 'logo of an issuer'), ('badge', 'badge of an achievement'), ('signature', 'signature on certificates')], max_length=12)),
                ('live', models.BooleanField(default=True, null=True)),
                ('content', models.BinaryField()),
                ('media_type', models.CharField(default='image/png', max_length=32)),
                ('sha256', models.CharField(max_length=64)),
                ('width', models.PositiveIntegerField()),
                ('height', models.PositiveIntegerField()),
                ('caption', models.JSONField(blank=True, default=dict, help_text='Thai and English')),
                ('uploaded_by', models.BigIntegerField(null=True)),
                ('uploaded_at', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'picture',
                'verbose_name_plural': 'pictures',
            },
        ),
        migrations.CreateModel(
            name='SignedDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('credential', 'Open Badges 3.0 credential'), ('record', 'Comprehensive Learner Record 2.0 of a programme')], default='credential', max_length=12)),
                ('body', models.BinaryField()),
            ],
        ),
        migrations.CreateModel(
            name='StatusList',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.SlugField(help_text='in its address', max_length=80, unique=True)),
                ('number', models.PositiveIntegerField()),
                ('size', models.PositiveIntegerField(default=131072)),
                ('next_position', models.PositiveIntegerField(default=0)),
                ('permutation_key', models.CharField(editable=False, max_length=64)),
                ('changes', models.PositiveBigIntegerField(default=0)),
                ('created', models.DateTimeField()),
            ],
            options={
                'verbose_name': 'status list',
                'verbose_name_plural': 'status lists',
            },
        ),
        migrations.CreateModel(
            name='StatusListDocument',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('purpose', models.CharField(max_length=16)),
                ('changes', models.PositiveBigIntegerField(help_text='count of changes that it shows')),
                ('body', models.TextField()),
                ('signed_at', models.DateTimeField()),
                ('valid_until', models.DateTimeField(null=True)),
            ],
        ),
        migrations.AddField(
            model_name='certificatetemplate',
            name='issuer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='templates', to='mooc_microcred.issuer'),
        ),
        migrations.AddField(
            model_name='credential',
            name='award',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credentials', to='mooc_microcred.award'),
        ),
        migrations.AddField(
            model_name='credential',
            name='issuer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mooc_microcred.issuer'),
        ),
        migrations.AddField(
            model_name='credential',
            name='supersedes',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='superseded_by', to='mooc_microcred.credential'),
        ),
        migrations.AddField(
            model_name='credentialdue',
            name='award',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='mooc_microcred.award'),
        ),
        migrations.AddField(
            model_name='endorsement',
            name='achievement',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='endorsements', to='mooc_microcred.achievement'),
        ),
        migrations.AddField(
            model_name='endorsement',
            name='endorser',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='endorsements', to='mooc_microcred.issuer'),
        ),
        migrations.AddField(
            model_name='issuerkey',
            name='issuer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='keys', to='mooc_microcred.issuer'),
        ),
        migrations.AddField(
            model_name='endorsement',
            name='key',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mooc_microcred.issuerkey'),
        ),
        migrations.AddField(
            model_name='credential',
            name='key',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credentials', to='mooc_microcred.issuerkey'),
        ),
        migrations.AddField(
            model_name='picture',
            name='achievement',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='mooc_microcred.achievement'),
        ),
        migrations.AddField(
            model_name='picture',
            name='issuer',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.CASCADE, related_name='pictures', to='mooc_microcred.issuer'),
        ),
        migrations.AddField(
            model_name='signeddocument',
            name='credential',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='mooc_microcred.credential'),
        ),
        migrations.AddField(
            model_name='signeddocument',
            name='dictionary',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.PROTECT, related_name='+', to='mooc_microcred.documentdictionary'),
        ),
        migrations.AddField(
            model_name='statuslist',
            name='issuer',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='status_lists', to='mooc_microcred.issuer'),
        ),
        migrations.AddField(
            model_name='credential',
            name='status_list',
            field=models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='credentials', to='mooc_microcred.statuslist'),
        ),
        migrations.AddField(
            model_name='statuslistdocument',
            name='status_list',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='documents', to='mooc_microcred.statuslist'),
        ),
        migrations.AddConstraint(
            model_name='certificatetemplate',
            constraint=models.UniqueConstraint(fields=('issuer', 'kind'), name='microcred_template_kind'),
        ),
        migrations.AddConstraint(
            model_name='issuerkey',
            constraint=models.UniqueConstraint(fields=('issuer', 'number'), name='microcred_key_number'),
        ),
        migrations.AddConstraint(
            model_name='issuerkey',
            constraint=models.UniqueConstraint(fields=('issuer', 'current'), name='microcred_key_current'),
        ),
        migrations.AddConstraint(
            model_name='endorsement',
            constraint=models.UniqueConstraint(fields=('endorser', 'achievement', 'live'), name='microcred_endorsement_live'),
        ),
        migrations.AddConstraint(
            model_name='picture',
            constraint=models.UniqueConstraint(fields=('issuer', 'purpose', 'live'), name='microcred_picture_issuer'),
        ),
        migrations.AddConstraint(
            model_name='picture',
            constraint=models.UniqueConstraint(fields=('achievement', 'purpose', 'live'), name='microcred_picture_achievement'),
        ),
        migrations.AddConstraint(
            model_name='signeddocument',
            constraint=models.UniqueConstraint(fields=('credential', 'kind'), name='microcred_document_kind'),
        ),
        migrations.AddConstraint(
            model_name='statuslist',
            constraint=models.UniqueConstraint(fields=('issuer', 'number'), name='microcred_list_number'),
        ),
        migrations.AddIndex(
            model_name='credential',
            index=models.Index(fields=['issuer', 'revoked_at'], name='microcred_credential_revoked'),
        ),
        migrations.AddConstraint(
            model_name='credential',
            constraint=models.UniqueConstraint(fields=('award', 'live'), name='microcred_credential_award'),
        ),
        migrations.AddConstraint(
            model_name='credential',
            constraint=models.UniqueConstraint(fields=('status_list', 'status_index'), name='microcred_credential_index'),
        ),
        migrations.AddConstraint(
            model_name='statuslistdocument',
            constraint=models.UniqueConstraint(fields=('status_list', 'purpose'), name='microcred_list_purpose'),
        ),
    ]
