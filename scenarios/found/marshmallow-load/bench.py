"""Records with a nested schema and a list loaded; the best of 25 rounds."""

import json
import time
import warnings

warnings.simplefilter("ignore")
from marshmallow import Schema, fields  # noqa: E402


class Person(Schema):
    number = fields.Integer()
    name = fields.String()
    mail = fields.String()
    active = fields.Boolean()
    score = fields.Float()


class Issue(Schema):
    number = fields.Integer()
    title = fields.String()
    owner = fields.Nested(Person)
    labels = fields.List(fields.String())


OWNER = {"number": 1, "name": "n", "mail": "m@example.org", "active": True, "score": 0.5}
ISSUES = [{"number": each, "title": f"t{each}", "labels": ["a", "b", "c"], "owner": OWNER} for each in range(100)]
SCHEMA = Issue(many=True)


def once():
    began = time.process_time()
    for _ in range(6):
        SCHEMA.load(ISSUES)
    return time.process_time() - began


once()
print(json.dumps({"cpu_seconds": min(once() for _ in range(25))}))
