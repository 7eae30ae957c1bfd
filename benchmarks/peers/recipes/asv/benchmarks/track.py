import json
import os
import statistics
import subprocess
from pathlib import Path


def track_cpu_seconds():
    checkout = Path(os.environ["ASV_ENV_DIR"], "project")
    runs = [subprocess.run([os.environ["BENCH"]], cwd=checkout, check=True, capture_output=True) for _ in range(5)]
    return statistics.median(json.loads(run.stdout)["cpu_seconds"] for run in runs)


track_cpu_seconds.timeout = 600
