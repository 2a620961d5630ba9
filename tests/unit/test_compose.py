"""What docker-compose.yml and .env.example say of each other and of the settings."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath

import pytest

from workers.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE = (ROOT / "docker-compose.yml").read_text("utf-8")
EXAMPLE = dict(re.findall(r"^#?([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text("utf-8"), re.M))


@pytest.mark.parametrize("variable", EXAMPLE)
def test_every_variable_of_the_example_is_read(variable: str) -> None:
    assert variable.lower() in Settings.model_fields or f"${{{variable}:" in COMPOSE


def test_the_tenants_file_of_the_example_is_in_a_folder_that_workers_see() -> None:
    folder = PurePosixPath(EXAMPLE["TENANTS_FILE"]).parent
    worker = COMPOSE.partition("\n  worker:\n")[2].partition("\n\n")[0]
    assert f'volumes: ["./tenants:{folder}:ro"]' in worker
