"""An officer who types: readings of the density meter, and a record of each search."""

from __future__ import annotations

from abc import abstractmethod
from typing import Final

from drivers.folder import FolderSettings
from edge_agent.events.envelope import EventData, uuid7
from edge_agent.events.inspection import DensityRead, Outcome, SearchRecord, Seizure
from edge_agent.simulate.folder import FolderDevice

_PLACES: Final = ("rear left tyre", "spare wheel", "left door", "fuel tank", "roof")


class _Officer(FolderDevice[FolderSettings]):
    """Puts a file into a spool for each traveller, as ``edge-agent record`` does."""

    def write(self) -> None:
        """A file for one traveller."""
        self.put(f"{uuid7()}.json", self._says().model_dump_json().encode())

    @abstractmethod
    def _says(self) -> EventData: ...


class DensityMeter(_Officer):
    """One reading in four is far above what a sound vehicle shows."""

    def _says(self) -> EventData:
        expected = 60.0
        high = self.presented % 4 == 3
        value = round(float(self.rng.normal(140 if high else expected, 3)))
        place = _PLACES[self.presented % len(_PLACES)]
        return DensityRead(value=value, unit="scale divisions", source="typed", expected=expected, place=place)


class Recorder(_Officer):
    """Most searches find nothing."""

    def _says(self) -> EventData:
        found = self.presented % 5 == 4
        seizure = Seizure(goods="white powder", quantity=1.25, unit="kg", packages=2, place="fuel tank")
        return SearchRecord(
            search=uuid7(),
            outcome=Outcome.SEIZURE if found else Outcome.NOTHING,
            methods=["visual", "density", "endoscope"],
            transport="road",
            direction="entry",
            seizures=[seizure] if found else [],
            nominal=False,
        )
