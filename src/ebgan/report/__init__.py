"""The run on one page: grids of images, curves and report.html, from what stands in the run folder."""

from ebgan.report.html import write_report
from ebgan.report.images import grid, save_png
from ebgan.report.summary import metric_rows

__all__ = ["grid", "metric_rows", "save_png", "write_report"]
