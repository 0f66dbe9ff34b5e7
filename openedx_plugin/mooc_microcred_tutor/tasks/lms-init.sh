# mooc-microcred: what it needs before it can work. Again is harmless.
echo "Micro-credentials: migrations"
./manage.py lms migrate mooc_microcred
{%- for switch in MICROCRED_WAFFLE_SWITCHES %}
(./manage.py lms waffle_switch --list | grep -F '{{ switch }}') || ./manage.py lms waffle_switch --create '{{ switch }}' on
{%- endfor %}
{%- if MICROCRED_CATALOGUE %}
echo "Micro-credentials: catalogue"
./manage.py lms microcred_catalogue load{% for argument in MICROCRED_CATALOGUE %} '{{ argument }}'{% endfor %}
{%- endif %}
{%- set catalogue = patch("microcred-catalogue") %}
{%- if catalogue %}
echo "Micro-credentials: catalogue of the patch microcred-catalogue"
./manage.py lms microcred_catalogue load - << 'MICROCRED_CATALOGUE'
{{ catalogue }}
MICROCRED_CATALOGUE
{%- endif %}
