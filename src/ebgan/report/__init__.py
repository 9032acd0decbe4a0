"""The run on one page: grids of images, curves and report.html, from what stands in the run folder."""

from ebgan.report.animation import write_animation
from ebgan.report.html import write_report
from ebgan.report.images import grid, png, save_png
from ebgan.report.landscape import Landscape, landscape
from ebgan.report.panels import Panel, panels
from ebgan.report.summary import metric_rows

__all__ = [
    "Landscape",
    "Panel",
    "grid",
    "landscape",
    "metric_rows",
    "panels",
    "png",
    "save_png",
    "write_animation",
    "write_report",
]
