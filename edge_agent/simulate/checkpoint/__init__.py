"""The virtual checkpoint: its configuration lies beside this module, and here is what plays each kind of device."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any, Final

from edge_agent.simulate.device import SimulatedDevice

CONFIG: Final = Path(__file__).parent

_PLAYED_BY: Final = {
    "passport.page": "edge_agent.simulate.scanner:Scanner",
    "cctv.onvif": "edge_agent.simulate.yard:OnvifYard",
    "cctv.rtsp": "edge_agent.simulate.yard:StreamedYard",
    "drugkit.colourtest": "edge_agent.simulate.colour_test:ColourTestKit",
    "drugkit.spectrum": "edge_agent.simulate.spectrometer:Spectrometer",
    "inspection.barcode": "edge_agent.simulate.papers:Papers",
    "inspection.density": "edge_agent.simulate.officer:DensityMeter",
    "inspection.endoscope": "edge_agent.simulate.endoscope:Endoscope",
    "inspection.record": "edge_agent.simulate.officer:Recorder",
    "inspection.scale": "edge_agent.simulate.scale:Scale",
    "xray.folder": "edge_agent.simulate.xray.device:XrayScanner",
}


def player(driver: str) -> type[SimulatedDevice[Any]] | None:
    """What plays the devices of a kind of driver, imported; None if nothing does."""
    if driver not in _PLAYED_BY:
        return None
    module, name = _PLAYED_BY[driver].split(":")
    found: type[SimulatedDevice[Any]] = getattr(import_module(module), name)
    return found
