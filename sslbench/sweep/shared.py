"""What all who work on a suite have in common, wherever they are: its queues and its runs."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from sslbench.contract.errors import StoreLost
from sslbench.contract.files import remove_inside
from sslbench.contract.owner import remove_left, temporary_files_in
from sslbench.stores.axes import told_apart_by
from sslbench.stores.outage import lost, patiently, store_lost
from sslbench.stores.reports import BREAK, describe
from sslbench.sweep import suites
from sslbench.sweep.asked import Request
from sslbench.sweep.features import features_folder
from sslbench.sweep.news import News
from sslbench.sweep.request import Prepared, resolve_device, tracker_of
from sslbench.sweep.studies import held_in, missing_evaluations, missing_pretrainings, open_queues

if TYPE_CHECKING:  # it imports torch, which who looks after workers can do without
    from sslbench.sweep.worker import Worker

#: How many times, without a cell being done by anybody, a worker may lose a store that answers again.
LOSSES = 5


class Shared:
    """The queues and runs of a suite, seen by one who works on a part of it.

    Everything here may be done by any number of processes at a time, and is done again while a store does not answer.
    """

    def __init__(self, request: Request, prepared: Prepared) -> None:
        self.request, self.prepared = request, prepared
        whole = suites.load(request.suite)
        self.tracker = tracker_of(request.stores, whole.name, told_apart_by(whole))
        self.pretrain, self.evaluate = open_queues(whole, request.selection, request.stores.storage)

    def begin(self, forgiving: bool = True) -> None:
        """Describe the runs, put in order what dead processes left, and queue what is missing.

        Args:
            forgiving: queue also what too many workers died over, as a person wants who asks for it again.
        """
        patiently(self._begin, forgiving)

    def _begin(self, forgiving: bool) -> None:
        self._settle()
        told = suites.told(self.request.suite).description.replace("\n", BREAK)  # two spaces keep the line in Markdown
        lines = [f"`sslbench run {self.request.suite}`", told, *self.prepared.suite.notes]
        describe(self.tracker, BREAK.join(lines))
        plan, done = self.prepared.plan, self.tracker.finished()
        lacking = {cell.pretrain.cell_id for cell in plan.evaluations if cell.cell_id not in done}
        self.tracker.forget_published(lacking & done.keys())  # came without encoder, so they are to be run
        self._queue(forgiving)

    def top_up(self) -> None:
        """Queue what fits and is missing and was not tried since this process began."""
        patiently(self._queue, forgiving=False)

    def _queue(self, forgiving: bool) -> None:
        """Queue missing pretrainings, and missing evaluations of those that are done, as many as fit."""
        about = self.prepared.plan, self.tracker.finished(), self.prepared.datasets
        for queue, missing in ((self.pretrain, missing_pretrainings), (self.evaluate, missing_evaluations)):
            (queue.fill if forgiving else queue.top_up)(missing(*about))

    def settle(self) -> None:
        """Put back the cells of workers that are gone, close their runs, and drop files nobody needs."""
        patiently(self._settle)

    def _settle(self) -> None:
        remove_left(self.request.stores.temporary)
        queues = (self.pretrain, self.evaluate)
        for queue in queues:
            queue.release_gone()
        self.tracker.kill_orphans(
            lambda: held_in(self.pretrain.storage, self.prepared.suite.name),
            lambda: {cell_id: why for queue in queues for cell_id, why in queue.given_up().items()},
        )
        if self.done() == len(self.prepared.cells) and not any(queue.held() for queue in queues):
            stores = self.request.stores
            remove_inside(stores.features, features_folder(stores, self.prepared.suite.name))

    def release(self) -> None:
        """Put back what this process holds."""
        for queue in (self.pretrain, self.evaluate):
            patiently(queue.release_own)

    @contextmanager
    def tidied(self) -> Iterator[None]:
        """In the end, however it comes, put back what this process and dead ones held; a lost store leaves that to the
        next who comes."""
        try:
            yield
        except StoreLost:
            raise
        except BaseException:
            self._tidy()
            raise
        self._tidy()

    def _tidy(self) -> None:
        self.release()
        self.settle()

    def worker(self, news: News) -> Worker:
        """A worker in this process.

        Args:
            news: where it says what it does.
        """
        import torch

        from sslbench.sweep.worker import Worker

        request, device = self.request, torch.device(resolve_device(self.request.device))
        arguments = (request.stores, self.prepared.datasets, request.data_root, device)
        return Worker(news, self.prepared.plan, (self.pretrain, self.evaluate), self.tracker, *arguments)

    def work(self, news: News, stop: Callable[[], bool] = lambda: False) -> None:
        """Work in this process until nothing is left to take; while a store does not answer, wait for it.

        Args:
            news: where it says what it does.
            stop: asked between cells: whether to end before all is done.

        Raises:
            StoreLost: a store did not come back.
        """
        with temporary_files_in(self.request.stores.temporary):
            self._work(news, stop)

    def _work(self, news: News, stop: Callable[[], bool]) -> None:
        losses, before = 0, -1
        while True:
            try:
                self.worker(news).run(stop)
                return
            except Exception as error:
                if not store_lost(error):
                    raise
                done = patiently(self.done)
                losses, before = (losses + 1 if done == before else 1), done
                if losses > LOSSES:
                    raise lost(error) from error
            self.release()  # what was in hand is lost with the store
            self.top_up()

    def done(self) -> int:
        """How many cells of the plan are finished, by whomever."""
        finished = self.tracker.finished()
        return sum(cell_id in finished for cell_id, _ in self.prepared.cells)

    def over(self) -> bool:
        """Whether something failed and nobody works on anything or will: the rest is for a person to ask for again."""
        queues = (self.pretrain, self.evaluate)
        return bool(self.tracker.failures()) and not any(queue.held() or queue.waiting() for queue in queues)

    def report(self) -> list[str]:
        """Who works on which cell, how many wait, and what failed, in lines."""
        lines = [
            f"{owner or 'somebody'}: {title}, {max(0.0, time.time() - since):.0f} s"
            for queue in (self.pretrain, self.evaluate)
            for owner, title, since in queue.at_work()
        ]
        failures = self.tracker.failures()
        failed = [f"failed: {tags.get('mlflow.runName')}: {tags.get('error')}" for tags in failures]
        waiting = max(0, len(self.prepared.cells) - self.done() - len(failed) - len(lines))
        return [*lines, f"{waiting} waiting to be taken", *failed]
