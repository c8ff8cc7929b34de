"""The page of the published quick suite, made once."""

from __future__ import annotations

import pandas as pd
import pytest

from tests.report.page.parsed import Page, everything, page


@pytest.fixture(scope="session")
def quick_page(quick: pd.DataFrame) -> Page:
    """With all a page can have."""
    return page(quick, everything())
