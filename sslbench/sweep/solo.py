"""One worker in this process, beside any number of others here and elsewhere."""

from __future__ import annotations

from collections.abc import Callable

from sslbench.stores.outage import patiently
from sslbench.sweep.asked import Request
from sslbench.sweep.news import News
from sslbench.sweep.request import Prepared
from sslbench.sweep.shared import Shared


def work(request: Request, prepared: Prepared, news: News, stop: Callable[[], bool] = lambda: False) -> None:
    """Take cells of the plan until none is left to take; what this process held is put back if it is stopped.

    Args:
        news: where it says what it does.
        stop: asked between cells: whether to end before all is done.
    """
    shared = patiently(Shared, request, prepared)
    shared.begin(forgiving=False)
    with shared.tidied():
        shared.work(news, stop)
