"""GitHub's webhooks: a push moves a branch, a deployment came out well, a comment asks for something.

A comment is not an alert, and is left alone.
"""

from collections.abc import Mapping

from pydantic import Field

from bisector.core.model.trigger import Trigger
from bisector.formats.alerts.reading import AlertProblem, Defaults, Ignored, Shape, seconds, shaped, trigger


class _Repository(Shape):
    full_name: str
    default_branch: str = ""


class _Push(Shape):
    ref: str
    before: str
    after: str
    deleted: bool = False
    compare: str = ""
    repository: _Repository


class _Deployment(Shape):
    sha: str
    payload: dict[str, object] | str = Field(default_factory=dict)


class _Status(Shape):
    state: str
    created_at: str | None = None
    target_url: str | None = ""


class _DeploymentStatus(Shape):
    deployment_status: _Status
    deployment: _Deployment
    repository: _Repository


def read(headers: Mapping[str, str], document: object, defaults: Defaults) -> tuple[Trigger, ...]:
    """The trigger of a push to the default branch or of a deployment that succeeded; Ignored for everything else."""
    event = headers.get("x-github-event", "")
    key = headers.get("x-github-delivery", "")
    if event == "push":
        return (_push(shaped(_Push, document), defaults, key),)
    if event == "deployment_status":
        return (_deployment(shaped(_DeploymentStatus, document), defaults, key),)
    if not event:
        raise AlertProblem("the header X-GitHub-Event is missing")
    raise Ignored(f"nothing is done on the event {event[:80]!r}")


def _push(push: _Push, defaults: Defaults, key: str) -> Trigger:
    if push.deleted or push.ref != f"refs/heads/{push.repository.default_branch}":
        raise Ignored("the push is not to the default branch")
    made = not push.before.strip("0")
    said = {
        "repository": defaults.repository or push.repository.full_name,
        "good": None if made else push.before,
        "bad": push.after,
        "key": key,
        "link": push.compare,
    }
    return trigger(defaults, said)


def _deployment(status: _DeploymentStatus, defaults: Defaults, key: str) -> Trigger:
    if status.deployment_status.state != "success":
        raise Ignored(f"the deployment is {status.deployment_status.state[:80]!r}, not a success")
    payload = status.deployment.payload if isinstance(status.deployment.payload, dict) else {}
    before = payload.get("previous_sha")
    said = {
        "repository": defaults.repository or status.repository.full_name,
        "good": before if isinstance(before, str) else None,
        "bad": status.deployment.sha,
        "key": key,
        "link": status.deployment_status.target_url or "",
    }
    return trigger(defaults, said, time=seconds(status.deployment_status.created_at))
