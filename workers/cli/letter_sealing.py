"""How `dead-letters reseal` goes: through all letters, and how many of them were sealed anew."""

from __future__ import annotations

import sys
from collections import Counter

import typer
from rich.progress import track

from tasks.errors import SettingsError
from workers.cli.console import complain, err, printable


def reseal() -> None:
    """Seal all kept messages with the first key of SEAL_KEY, so that the others can be given up.

    A key is replaced in four steps, none of which stops any work: add the new key as the last one
    on every host (`SEAL_KEY=old,new`) and restart; put it first (`SEAL_KEY=new,old`) and restart;
    run this; take the old key away. What stands in Redis unsealed is sealed, too. A letter whose
    key is not among them is named and stays as it is; then the exit code is 1. A run that is
    stopped can simply be started again.

    **Example**

    `genesys-workers dead-letters reseal`
    """
    from workers.cli.services import services
    from workers.letters import resealing

    letters = services().dead_letters
    if letters.seal.key is None:
        raise SettingsError("SEAL_KEY: is not set, there is nothing to seal with")
    done: Counter[str] = Counter()
    each = resealing.reseal(letters)
    quiet = not err.is_terminal
    for letter in track(
        each, "reseal", letters.count(), console=err, transient=True, disable=quiet
    ):
        done[letter.state] += 1
        if letter.state == "locked":
            complain(f"{printable(letter.id)}: none of SEAL_KEY's keys opens it")
    print(
        f"resealed {done['resealed']:,}, were so already {done['newest']:,},"
        f" not opened {done['locked']:,}",
        file=sys.stderr,
    )
    raise typer.Exit(1 if done["locked"] else 0)
