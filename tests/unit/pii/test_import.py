"""The finder of personal data is light: it loads no other library."""

from __future__ import annotations

import subprocess
import sys

HEAVY = ("pydantic", "celery", "requests", "presidio_analyzer", "spacy")


def test_importing_it_and_a_first_call_load_no_other_library() -> None:
    program = (
        "import sys; from tasks.pii import redact; redact('a@b.co 4155550100 \\u00e9');"
        f"print([each for each in {HEAVY} if each in sys.modules])"
    )
    shown = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert shown.stdout.strip() == "[]"
