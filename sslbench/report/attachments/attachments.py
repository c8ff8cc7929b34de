"""What a report shows that records do not hold; kept beside them, so that a rebuild shows it too."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from sslbench.contract.settings import TunedArm
from sslbench.report.attachments import files
from sslbench.report.attachments.community import Submission
from sslbench.report.attachments.exhibits import Exhibit, read_exhibits, write_exhibits
from sslbench.report.attachments.gaps import Gaps
from sslbench.report.attachments.predictions import Answers, read_answers, write_answers

#: What a results folder holds of them: how it is read, and how written; an empty one is no file.
_FILES: Mapping[str, tuple[Callable[[Path], Any], Callable[[Any, Path], list[Path]]]] = {
    "environment": (files.read_environment, files.write_environment),
    "gaps": (files.read_gaps, files.write_gaps),
    "exhibits": (read_exhibits, write_exhibits),
    "tuned": (files.read_tuned, files.write_tuned),
    "answers": (read_answers, write_answers),
    "primary": (files.read_primary, files.write_primary),
}


@dataclass(frozen=True)
class Attachments:
    """What belongs to a report besides its records; None means: as the results folder has it.

    Attributes:
        environment: what the records were computed on.
        gaps: what of the suite has no record.
        exhibits: pictures of what was learned.
        tuned: what choosing settings found and cost.
        answers: which test inputs every evaluation answered rightly.
        ui_url: where run ids lead; empty, as for all who do not have these runs, leaves them as plain text.
        versions: of the plug-ins as they are now, by kind and name.
        community: scores of others.
        primary: the protocol that was named before anything was run, as tables name it; empty if none was.
    """

    environment: Mapping[str, object] | None = None
    gaps: Gaps | None = None
    exhibits: tuple[Exhibit, ...] | None = None
    tuned: tuple[TunedArm, ...] | None = None
    answers: Answers | None = None
    ui_url: str = ""
    versions: Mapping[tuple[str, str], int] = field(default_factory=dict)
    community: tuple[Submission, ...] = ()
    primary: str | None = None

    def completed(self, folder: Path) -> Attachments:
        """With what is None read from a results folder; what that does not have either is empty.

        Raises:
            InputError: a file of the folder cannot be read.
        """
        return replace(self, **{name: read(folder) for name, (read, _) in _FILES.items() if vars(self)[name] is None})

    def write(self, folder: Path) -> list[Path]:
        """Write what is not None, or take its file away where it is empty; returns the files written."""
        given = [(write, vars(self)[name]) for name, (_, write) in _FILES.items() if vars(self)[name] is not None]
        return [path for write, content in given for path in write(content, folder)]
