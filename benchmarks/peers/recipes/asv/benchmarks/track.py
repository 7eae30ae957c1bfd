import json
import os
import statistics
import subprocess
from pathlib import Path


class Script:
    timeout = 600

    def track_cpu_seconds(self) -> float:
        checkout = Path(os.environ["ASV_ENV_DIR"], "project")
        runs = [subprocess.run([os.environ["BENCH"]], cwd=checkout, check=True, capture_output=True) for _ in range(5)]
        return statistics.median(float(json.loads(run.stdout)["cpu_seconds"]) for run in runs)
