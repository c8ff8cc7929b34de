"""What a report shows that records do not hold; kept beside them, so that a rebuild shows it too."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from sslbench.contract.spec import InputError
from sslbench.report.attachments.exhibits import Exhibit, read_exhibits
from sslbench.report.attachments.gaps import Gaps, read_gaps
from sslbench.report.attachments.tuned import Tuned, read_tuned

ENVIRONMENT_FILE = "environment.json"

#: Where `sslbench ui` listens unless told otherwise.
UI_URL = "http://127.0.0.1:5000"


@dataclass(frozen=True)
class Attachments:
    """What belongs to a report besides its records; None means: as the results folder has it.

    Attributes:
        environment: what the records were computed on.
        gaps: what of the suite has no record.
        exhibits: pictures of what was learned.
        tuned: what choosing settings cost.
        ui_url: where run ids lead; empty leaves them as plain text.
    """

    environment: Mapping[str, object] | None = None
    gaps: Gaps | None = None
    exhibits: tuple[Exhibit, ...] | None = None
    tuned: tuple[Tuned, ...] | None = None
    ui_url: str = UI_URL

    def completed(self, folder: Path) -> Attachments:
        """With what is None read from a results folder; what that does not have either is empty.

        Raises:
            InputError: a file of the folder cannot be read.
        """
        return replace(
            self,
            environment=_environment(folder) if self.environment is None else self.environment,
            gaps=read_gaps(folder) if self.gaps is None else self.gaps,
            exhibits=read_exhibits(folder) if self.exhibits is None else self.exhibits,
            tuned=read_tuned(folder) if self.tuned is None else self.tuned,
        )


def _environment(folder: Path) -> Mapping[str, object]:
    path = folder / ENVIRONMENT_FILE
    if not path.is_file():
        return {}
    try:
        found: Mapping[str, object] = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise InputError(f"cannot read the environment from {path}: {error}") from error
    return found
