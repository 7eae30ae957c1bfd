"""What is in `deploy/`: that it hangs together, and that what it sets is put back."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from bisector.cli.main import COMMANDS
from bisector.server.metrics import metric_routes
from bisector.settings import load_settings

TOP = Path(__file__).parents[2]
DEPLOY = TOP / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
COMPOSE: dict[str, Any] = yaml.safe_load((DEPLOY / "compose.yaml").read_text())
CPU = "devices/system/cpu"
BEFORE = {
    f"sys/{CPU}/online": "0-7",
    f"sys/{CPU}/smt/active": "1",
    f"sys/{CPU}/smt/control": "on",
    f"sys/{CPU}/cpu0/cpufreq/scaling_governor": "powersave",
    f"sys/{CPU}/cpu1/cpufreq/scaling_governor": "performance",
    f"sys/{CPU}/intel_pstate/no_turbo": "0",
    "proc/sys/kernel/randomize_va_space": "1",
    "proc/irq/24/smp_affinity_list": "0-7",
}


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A machine of files."""
    for name, content in BEFORE.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{content}\n")
    return tmp_path


def quiet(host: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    places = {"SYS": host / "sys", "PROC": host / "proc", "KEPT": host / "run"}
    environment = {f"QUIET_HOST_{name}": str(path) for name, path in places.items()} | {"PATH": "/usr/bin:/bin"}
    command = ["sh", str(DEPLOY / "quiet-host"), *arguments]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=30, check=False)


def held(host: Path) -> dict[str, str]:
    return {name: (host / name).read_text().strip() for name in BEFORE}


def test_a_host_is_made_quiet_and_put_back_as_it_was(host: Path) -> None:
    assert quiet(host, "apply", "6-7").returncode == 0
    wanted = {
        f"sys/{CPU}/smt/control": "off",
        f"sys/{CPU}/cpu0/cpufreq/scaling_governor": "performance",
        f"sys/{CPU}/intel_pstate/no_turbo": "1",
        "proc/sys/kernel/randomize_va_space": "2",
        "proc/irq/24/smp_affinity_list": "0,1,2,3,4,5",
    }
    assert held(host) == {**BEFORE, **wanted}
    again = quiet(host, "apply")
    assert (again.returncode, "applied already" in again.stderr) == (1, True), "what was would be forgotten"
    assert quiet(host, "undo").returncode == 0
    assert held(host) == BEFORE
    assert quiet(host, "undo").returncode == 0


def test_the_last_processor_is_the_one_that_is_measured_on(host: Path) -> None:
    quiet(host, "apply")
    assert held(host)["proc/irq/24/smp_affinity_list"] == "0,1,2,3,4,5,6"


@pytest.mark.parametrize("unit", UNITS, ids=lambda path: path.name)
def test_units_are_what_systemd_takes(unit: Path, tmp_path: Path) -> None:
    """Every line is understood; the programs, which are not installed here, are put in place of."""
    sections = re.findall(r"^\[(\w+)\]$", unit.read_text(), re.MULTILINE)
    assert sections == ["Unit", "Service", "Install"]
    if shutil.which("systemd-analyze") is None:
        return
    copy = tmp_path / unit.name
    copy.write_text(re.sub(r"/opt/bisector/bin/\S+", "/bin/true", unit.read_text()))
    done = subprocess.run(
        ["systemd-analyze", "verify", "--man=no", str(copy)], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_units_call_commands_that_there_are() -> None:
    called = [call for unit in UNITS for call in re.findall(r"/opt/bisector/bin/bisector (\S+)", unit.read_text())]
    assert sorted(called) == ["serve", "worker"]
    assert set(called) <= set(COMMANDS)


def test_the_server_never_has_the_engines_socket() -> None:
    unit = (DEPLOY / "systemd" / "bisector-server.service").read_text()
    assert "InaccessiblePaths=-/run/docker.sock" in unit
    assert "docker" not in re.findall(r"SupplementaryGroups=(.*)", unit)
    with_socket = [
        name
        for name, service in COMPOSE["services"].items()
        if any("docker.sock" in volume for volume in service.get("volumes", ()))
    ]
    assert with_socket == ["worker"]


def test_what_compose_starts_is_no_root_and_has_time_to_drain() -> None:
    services = COMPOSE["services"]
    assert set(services) == {"database", "upgrade", "server", "worker"}
    for name in ("upgrade", "server", "worker"):
        service = services[name]
        assert (service["user"], service["read_only"], service["cap_drop"]) == ("bisector", True, ["ALL"]), name
        assert service["command"][0] in COMMANDS, name
        assert any(":/etc/bisector/bisector.toml" in volume for volume in service["volumes"]), name
    assert int(services["worker"]["stop_grace_period"].removesuffix("s")) > load_settings().drain_seconds
    used = {volume.split(":")[0] for service in services.values() for volume in service.get("volumes", ())}
    assert {name for name in used if not name.startswith((".", "/"))} == set(COMPOSE["volumes"])


def test_every_variable_that_compose_needs_is_in_the_example() -> None:
    needed = set(re.findall(r"\$\{([A-Z_]+):\?", (DEPLOY / "compose.yaml").read_text()))
    assert needed
    assert needed <= set(re.findall(r"^([A-Z_]+)=", (DEPLOY / "env.example").read_text(), re.MULTILINE))


def test_the_example_of_settings_is_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As it stands, and with everything in it that is a comment."""
    text = (DEPLOY / "bisector.example.toml").read_text()
    whole = re.sub(r"^# (?=[a-z_]+ = |\[\[)", "", text, flags=re.MULTILINE)
    path = tmp_path / "bisector.toml"
    monkeypatch.setenv("BISECTOR_CONFIG", str(path))
    for each in (text, whole):
        path.write_text(each)
        assert load_settings().repositories[0].name == "parser"
    assert (len(load_settings().sweeps), len(load_settings().hooks)) == (1, 1)


def test_rules_watch_figures_that_there_are() -> None:
    rules = yaml.safe_load((DEPLOY / "prometheus-rules.yml").read_text())["groups"][0]["rules"]
    source = Path(metric_routes.__code__.co_filename).read_text()
    for rule in rules:
        for figure in re.findall(r"bisector_\w+", rule["expr"]):
            assert f'"{figure}"' in source, figure


@pytest.mark.docker
@pytest.mark.long
def test_the_image_is_built_and_answers() -> None:
    """`docker build -t bisector .` of the README, with whatever index pip has."""
    image = "bisector-test-of-the-image"
    try:
        built = subprocess.run(
            ["docker", "build", "--tag", image, str(TOP)], capture_output=True, text=True, timeout=1800, check=False
        )
        assert built.returncode == 0, built.stdout[-2000:] + built.stderr[-2000:]
        for command, expected in (("--version", "bisector, version"), ("scenario schema", '"$schema"')):
            said = subprocess.run(
                ["docker", "run", "--rm", image, *command.split()], capture_output=True, text=True, check=False
            )
            assert (said.returncode, expected in said.stdout) == (0, True), said.stderr
    finally:
        subprocess.run(["docker", "image", "rm", "--force", image], capture_output=True, check=False)
