"""A template with a macro, loops and filters compiled and rendered; the best of 15 rounds."""

import json
import time

from jinja2 import Environment

TABLE = """\
{% macro cell(value) %}<td>{{ value|upper }}</td>{% endmacro %}<table>
{% for row in rows if row %}<tr class="{{ loop.cycle('odd', 'even') }}">
{% for key, value in row.items() %}{{ cell(value) }}{% endfor %}
{% if loop.index is even %}{{ loop.index * 2 + 1 }}{% else %}{{ row.a|default('none')|e }}{% endif %}
</tr>{% endfor %}</table>
"""
ROWS = [{"a": f"x{number}", "b": "<y>", "c": "z"} for number in range(150)]
ENVIRONMENT = Environment(autoescape=True, cache_size=0)


def once():
    began = time.process_time()
    for _ in range(2):
        ENVIRONMENT.from_string(TABLE).render(rows=ROWS)
    return time.process_time() - began


print(json.dumps({"cpu_seconds": min(once() for _ in range(15))}))
