"""The small output folders that the review page is tested with."""

from tests.pipelines.reviewing.conftest import make_out

__all__ = ["make_out"]
