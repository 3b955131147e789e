"""Records of searches, as `edge-agent record` writes them: into a spool folder, whether the agent runs or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from pydantic import Field, ValidationError

from drivers.folder import Content, Folder, FolderDriver, FolderSettings, RejectedError
from edge_agent.driver import Observation
from edge_agent.events.inspection import SearchRecord
from edge_agent.processing.iso6346 import is_valid


class RecordSettings(FolderSettings):
    """Settings of ``inspection.record``."""

    folder: Path = Field(
        default=Path("spool/record"),
        description="Where `edge-agent record` puts records; a relative path starts at the state directory",
    )
    settle_seconds: float = Field(default=0, ge=0, le=60, description="The command writes files that are finished")


class Record(FolderDriver[RecordSettings]):
    """Records of searches that officers write with ``edge-agent record``."""

    kind = "inspection.record"
    Settings = RecordSettings

    def poll(self, folder: Folder) -> Observation | None:
        """The next record, which is the same one however often its file is offered."""
        observation = super().poll(folder)
        if observation is not None and isinstance(observation.data, SearchRecord):
            return replace(observation, key=str(observation.data.search))
        return observation

    def examine(self, data: bytes) -> Content:
        """A record, as JSON."""
        try:
            record = SearchRecord.model_validate_json(data)
        except ValidationError as error:
            places = sorted({".".join(str(part) for part in each["loc"][:2]) for each in error.errors()})
            raise RejectedError(
                "not-a-record", f"This is no record of a search; look at: {', '.join(places)}."
            ) from None
        if record.container and not is_valid(record.container):
            raise RejectedError("container-number", "The check digit of the container's number is wrong.")
        return Content(record)
