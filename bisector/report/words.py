"""The words a reader sees for what the code calls by short names."""

from collections.abc import Mapping

from bisector.core.model.captures import ChangeKind
from bisector.core.model.samples import Outcome
from bisector.core.model.verdict import Doubt, VerdictKind

OUTCOMES: Mapping[Outcome, str] = {
    Outcome.OK: "ran",
    Outcome.BUILD_FAILED: "does not build",
    Outcome.BENCH_FAILED: "the run fails",
    Outcome.TIMEOUT: "takes too long",
    Outcome.OOM: "runs out of memory",
    Outcome.NO_RESULT: "yields no result",
    Outcome.INFRA: "the machine failed",
    Outcome.CANCELLED: "stopped",
    Outcome.DISTURBED: "disturbed by something else",
}
ARTIFACTS: Mapping[str, str] = {
    "report": "this report",
    "build_log": "log of a build",
    "service_log": "what services wrote in a run that failed",
    "speedscope": "profile for speedscope",
    "folded": "profile as folded stacks",
    "flamegraph": "flame graphs alone",
    "diff": "their difference as a picture",
}
DETAILS: Mapping[str, str] = {
    "hostname": "Host name",
    "cpu": "Processor",
    "cores": "Cores",
    "memory_gib": "Memory in GiB",
    "kernel": "Kernel",
    "governor": "Frequency governor",
    "turbo": "Turbo",
    "smt": "Threads that share a core",
    "cpus": "Processors of a run",
    "helper": "Measuring helper",
    "isolation": "Isolation",
}
"""What a runner tells of itself and its host, by the names it has for it."""
VERDICTS: Mapping[VerdictKind, str] = {
    VerdictKind.CULPRIT: "Culprit found",
    VerdictKind.CULPRIT_SET: "Narrowed down",
    VerdictKind.SEVERAL: "Several changes",
    VerdictKind.NOT_REPRODUCED: "Not reproduced",
    VerdictKind.ENVIRONMENT_CHANGED: "Environment changed",
    VerdictKind.INCONCLUSIVE: "Undecided",
    VerdictKind.FAILED: "Failed",
    VerdictKind.CANCELLED: "Cancelled",
    VerdictKind.RESTORED: "Restored",
    VerdictKind.NOT_RESTORED: "Not restored",
}
KINDS: Mapping[ChangeKind, str] = {
    ChangeKind.COMMIT: "",
    ChangeKind.DEPENDENCY: "it only moves packages",
    ChangeKind.SUBMODULE: "it only moves submodules",
}
DOUBTS: Mapping[Doubt, str] = {
    Doubt.DOCUMENTATION: "it changes only documentation and the like",
    Doubt.TESTS: "it changes only tests",
    Doubt.PLATFORM: "it changes only what is for another system",
    Doubt.UNSEEN: "no profile shows a file that it changes",
}
