"""Reports: grids of images, curves and report.html, made from the files in a run folder."""

from ebgan.report.animation import save_gif, save_landscape, write_animation
from ebgan.report.distribution import Histogram, histogram_panels
from ebgan.report.gallery import gallery
from ebgan.report.html import write_report
from ebgan.report.images import beside, grid, png, save_png
from ebgan.report.interval import counted, interval
from ebgan.report.landscape import Landscape, landscape, landscapes
from ebgan.report.notebook import NotebookBar, in_notebook
from ebgan.report.panels import Panel, panels
from ebgan.report.summary import metric_rows

__all__ = [
    "Histogram",
    "Landscape",
    "NotebookBar",
    "Panel",
    "beside",
    "counted",
    "gallery",
    "grid",
    "histogram_panels",
    "in_notebook",
    "interval",
    "landscape",
    "landscapes",
    "metric_rows",
    "panels",
    "png",
    "save_gif",
    "save_landscape",
    "save_png",
    "write_animation",
    "write_report",
]
