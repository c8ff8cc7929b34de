"""What a report shows that records do not hold; kept beside them, so that a rebuild shows it too."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from sslbench.contract.settings import TunedArm
from sslbench.report.attachments.community import Submission
from sslbench.report.attachments.exhibits import Exhibit, read_exhibits
from sslbench.report.attachments.files import read_json
from sslbench.report.attachments.gaps import Gaps, read_gaps
from sslbench.report.attachments.predictions import Answers, read_answers
from sslbench.report.attachments.primary import read_primary
from sslbench.report.attachments.tuned import read_tuned

ENVIRONMENT_FILE = "environment.json"

#: In the environment: how many of the evaluations were taken from results published before, not run on this machine.
TAKEN = "evaluations_published_before"


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
        return replace(
            self,
            environment=read_environment(folder) if self.environment is None else self.environment,
            gaps=read_gaps(folder) if self.gaps is None else self.gaps,
            exhibits=read_exhibits(folder) if self.exhibits is None else self.exhibits,
            tuned=read_tuned(folder) if self.tuned is None else self.tuned,
            answers=read_answers(folder) if self.answers is None else self.answers,
            primary=read_primary(folder) if self.primary is None else self.primary,
        )


def read_environment(folder: Path) -> Mapping[str, object]:
    """What a results folder says its records were computed on; empty if it does not.

    Raises:
        InputError: the file is no JSON object.
    """
    return read_json(folder / ENVIRONMENT_FILE, "the environment", lambda content: dict(content.items()), {})
