"""docker-compose.yml: what it lets run, how safely, and what it says of other files."""

from __future__ import annotations

import re
import tomllib
from dataclasses import asdict
from pathlib import PurePosixPath
from typing import Any

import pytest
import yaml

from tasks.apis.calls import Timeouts
from tests.support import compose
from tests.support.compose import DEPLOY, ROOT, Missing, Service
from workers.cli.worker import of_kinds
from workers.limits.priority import CLASSES
from workers.limits.rates import DEFAULT_QUEUE, QUEUES
from workers.settings import Settings

EXAMPLE = compose.example()

#: What Compose reads itself.
ITS_OWN = {"COMPOSE_PROFILES"}

SECRETS = {
    "REDIS_PASSWORD": "hunter2-of-redis",
    "FLOWER_PASSWORD": "hunter2-of-flower",
    "GRAFANA_PASSWORD": "hunter2-of-grafana",
    "BRIDGE_SECRET": "hunter2-of-the-bridge",
    "SEAL_KEY": "hunter2-of-the-seal",
}

SERVICES = compose.services({**EXAMPLE, **SECRETS})
WORKERS = {name: each for name, each in SERVICES.items() if name.startswith("worker-")}
BRIDGES = {name: each for name, each in SERVICES.items() if name.startswith("bridge-")}
DOCKERFILE = (ROOT / "Dockerfile").read_text("utf-8")

every_service = pytest.mark.parametrize("service", SERVICES.values(), ids=SERVICES)


@pytest.mark.parametrize("variable", EXAMPLE)
def test_every_variable_of_the_example_is_read(variable: str) -> None:
    read = {*ITS_OWN, *compose.names(compose.text())}
    assert variable in read or variable.lower() in Settings.model_fields


@pytest.mark.parametrize("variable", sorted(set(compose.names(compose.text()))))
def test_every_variable_that_is_read_is_in_the_example(variable: str) -> None:
    inside = {"REDISCLI_AUTH"}
    assert variable in EXAMPLE or variable in inside


@pytest.mark.parametrize(
    ("value", "filled"),
    [
        ("${A}-$A-$$A", "1-1-$A"),
        ("${B}${B:-none}${B:+some}", "none"),
        ("${A:-none}${A:+some}${A:?missing}", "1some1"),
        ("${B:-${A}}/${B:-${B:-x}}", "1/x"),
    ],
)
def test_variables_are_filled_in_as_compose_does(value: str, filled: str) -> None:
    assert compose.fill(value, {"A": "1", "B": ""}) == filled


@pytest.mark.parametrize("password", ["REDIS_PASSWORD", "FLOWER_PASSWORD"])
def test_nothing_starts_without_a_password(password: str) -> None:
    with pytest.raises(Missing, match=f"set {password} in .env"):
        compose.services({**SECRETS, password: ""})


def test_grafana_asks_for_flowers_password_where_it_has_none() -> None:
    given = compose.services({**SECRETS, "GRAFANA_PASSWORD": ""})["grafana"].environment
    assert given["GF_SECURITY_ADMIN_PASSWORD"] == SECRETS["FLOWER_PASSWORD"]


@every_service
def test_no_secret_stands_on_a_command_line(service: Service) -> None:
    shown = str({**service.about, "environment": None})
    assert not [secret for secret in SECRETS.values() if secret in shown]


@every_service
def test_a_service_may_do_little_and_takes_little(service: Service) -> None:
    about = service.about
    assert about["read_only"] is True
    assert about["cap_drop"] == ["ALL"]
    assert about["security_opt"] == ["no-new-privileges:true"]
    assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & about.keys()
    assert {"cpus", "memory"} <= service.limits.keys()
    assert about["logging"]["options"].keys() == {"max-size", "max-file"}
    assert not [each for each in about.get("volumes", ()) if "docker.sock" in each]


@every_service
def test_a_service_is_watched_and_comes_back(service: Service) -> None:
    health = service.about["healthcheck"]
    assert health.keys() == {"test", "interval", "timeout", "start_period", "retries"}
    assert service.seconds("healthcheck", "timeout") < service.seconds("healthcheck", "interval")
    assert service.about["restart"] == "unless-stopped"


@every_service
def test_ports_are_published_on_the_loopback_interface_only(service: Service) -> None:
    assert all(each.startswith("127.0.0.1:") for each in service.about.get("ports", ()))


def test_redis_is_published_nowhere_and_no_port_twice() -> None:
    assert "ports" not in SERVICES["redis"].about
    published = [
        each.split(":")[1] for one in SERVICES.values() for each in one.about.get("ports", ())
    ]
    assert len(published) == len(set(published)) == 7


@every_service
def test_an_image_is_of_one_version_for_ever(service: Service) -> None:
    name, _, tag = service.about["image"].partition(":")
    assert re.fullmatch(r"v?\d+\.\d+\.\d+(-[a-z]+)?", tag)
    if service.is_ours:
        project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
        assert (name, tag) == (project["name"], project["version"])


def test_every_queue_is_read_by_the_workers_of_one_service() -> None:
    known = [f"{kind}{of}" for of in ("", ".acme") for kind in QUEUES] + [DEFAULT_QUEUE]
    read = [
        queue
        for each in WORKERS.values()
        for queue in of_kinds(each.command[each.command.index("--kinds") + 1], known)
    ]
    assert sorted(read) == sorted(known)
    assert WORKERS.keys() == {f"worker-{each}" for each in CLASSES}


@pytest.mark.parametrize("service", [*WORKERS.values(), *BRIDGES.values()], ids=lambda s: s.name)
def test_time_to_end_in_is_longer_than_any_call_to_a_vendor(service: Service) -> None:
    timeouts = asdict(Timeouts())
    longest = timeouts["connect"] + timeouts["token"] + max(timeouts.values())
    assert service.seconds("stop_grace_period") > longest


def test_two_bridges_differ_in_their_port_alone() -> None:
    first, second = ({**each.about} for each in BRIDGES.values())
    assert first.pop("ports") != second.pop("ports")
    assert first == second


@pytest.mark.parametrize(
    ("variables", "scheme"),
    [({}, "http"), ({"RECEIVER_TLS_CERT": "/etc/genesys-workers/receiver.pem"}, "https")],
)
def test_a_bridge_is_asked_as_its_receiver_speaks(variables: dict[str, str], scheme: str) -> None:
    bridge = compose.services({**SECRETS, **variables})["bridge-1"]
    assert bridge.health[-1] == f"{scheme}://127.0.0.1:8090/health/live"


def mounts() -> list[tuple[str, str, str]]:
    """Return what is mounted: the service, the source and the target."""
    return [
        (name, *each.split(":")[:2])
        for name, service in SERVICES.items()
        for each in service.about.get("volumes", ())
    ]


@pytest.mark.parametrize(("service", "source", "target"), mounts())
def test_what_is_mounted_is_there(service: str, source: str, target: str) -> None:
    if source.startswith("./workers"):
        assert (ROOT / source).exists()
    elif source != "./tenants":
        assert source in compose.document(SECRETS)["volumes"]


def test_files_that_are_mounted_cannot_be_written() -> None:
    volumes = [each for one in SERVICES.values() for each in one.about.get("volumes", ())]
    assert all(each.endswith(":ro") for each in volumes if each.startswith("."))


@pytest.mark.parametrize("variable", ["TENANTS_FILE", "RECEIVER_TLS_CERT", "AUDIT_DIR"])
def test_files_of_the_example_are_in_folders_that_workers_and_bridges_see(variable: str) -> None:
    folder = PurePosixPath(EXAMPLE[variable]).parent
    seeing = {name for name, _, target in mounts() if target == str(folder)}
    assert {*BRIDGES, *WORKERS} <= seeing


def scraped() -> dict[str, dict[str, Any]]:
    config = yaml.safe_load((DEPLOY / "prometheus" / "compose.yml").read_text("utf-8"))
    return {each["job_name"]: each["dns_sd_configs"][0] for each in config["scrape_configs"]}


def test_prometheus_scrapes_every_service_that_shows_metrics_at_its_port() -> None:
    ports = {
        name: int(found[1])
        for name, service in SERVICES.items()
        if service.is_ours
        for found in [_address(service)]
        if found
    }
    assert {name: job["port"] for job in scraped().values() for name in job["names"]} == ports


def _address(service: Service) -> re.Match[str] | None:
    """Return where a service shows metrics, by its command or its environment."""
    places = ("METRICS_ADDRESS", "RECEIVER_ADDRESS")
    given = [*service.command, *(service.environment.get(name, "") for name in places)]
    return re.search(r"0\.0\.0\.0:(\d+)", " ".join(given))


def test_the_jobs_are_those_that_the_alerts_know() -> None:
    usual = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text("utf-8"))
    assert scraped().keys() == {each["job_name"] for each in usual["scrape_configs"]}


def provisioned(kind: str) -> dict[str, Any]:
    (path,) = (DEPLOY / "grafana" / "provisioning" / kind).glob("*.yml")
    (found,) = yaml.safe_load(path.read_text("utf-8"))[
        "providers" if kind == "dashboards" else kind
    ]
    return dict(found)


def test_grafana_finds_prometheus_and_the_dashboards() -> None:
    assert provisioned("datasources")["url"] == "http://prometheus:9090"
    grafana = SERVICES["grafana"]
    mounted = {target: source for name, source, target in mounts() if name == "grafana"}
    folder = ROOT / mounted[provisioned("dashboards")["options"]["path"]]
    assert list(folder.glob("*.json"))
    place = PurePosixPath(grafana.environment["GF_PATHS_PROVISIONING"])
    assert (ROOT / mounted[str(place.parent)] / place.name).is_dir()


def test_an_image_is_built_from_pinned_versions_and_runs_as_nobody_special() -> None:
    images = re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE)
    assert len(set(images)) == 1
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", images[0])
    installs = re.findall(r"pip [^\n]*install [^\n]*", DOCKERFILE)
    assert installs
    assert all("-c .constraints.txt" in each for each in installs if "uninstall" not in each)
    assert re.findall(r"^USER (.*)$", DOCKERFILE, re.MULTILINE) == ["10001:10001"]
    assert re.findall(r"^ENTRYPOINT (.*)$", DOCKERFILE, re.MULTILINE) == ['["genesys-workers"]']
    assert "\nHEALTHCHECK" not in DOCKERFILE


def test_only_what_the_image_needs_is_sent_to_the_builder() -> None:
    ignored = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    sent = {line.removeprefix("!") for line in ignored if line.startswith("!")}
    copied = re.findall(r"^COPY (?!--from)(.*) \S+$", DOCKERFILE, re.MULTILINE)
    assert {name for line in copied for name in line.split()} == sent
    assert all((ROOT / name).exists() for name in sent)
    assert "*" in ignored


def test_a_volume_of_the_image_belongs_to_its_user() -> None:
    made = re.search(r"install --directory --owner=(\w+) .* (/\S+)$", DOCKERFILE, re.MULTILINE)
    assert made
    assert f"useradd --system --uid 10001 --gid {made[1]}" in DOCKERFILE
    states = {target for name, source, target in mounts() if source in ("state", "flower")}
    assert states == {made[2]}
