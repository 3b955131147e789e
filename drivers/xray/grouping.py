"""Which files make up one scan: by their names, as the layout says, or for DICOS by what is in them."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from drivers.folder import File
from drivers.xray.layout import File as Description
from drivers.xray.layout import Layout

REPORT: Final = "report"
_PEEK_BYTES: Final = 1 << 18
_REMEMBERED: Final = 1000


class Grouping:
    """The scan and the role of each file of a folder.

    Args:
        layout: how scans are laid down.
        folder: where their files are.

    """

    def __init__(self, layout: Layout, folder: Path) -> None:
        self.layout = layout
        self.subfolders = layout.folder_for_each_scan
        self._folder = folder
        self._peeked: dict[File, tuple[str, str]] = {}

    def belongs(self, file: File) -> tuple[str, str] | None:
        """The scan to which a file belongs, and its role there; None if it is no file of a scan."""
        matched = self.layout.match(Path(file.name).name)
        if matched is None:
            return None
        scan, described = matched
        number = self.layout.file.index(described)
        if described.content != "dicos":
            return (file.name if self.layout.each_file_is_a_scan else scan), f"{number}"
        found = self._peeked.get(file)
        if found is None:
            if len(self._peeked) >= _REMEMBERED:
                self._peeked.clear()
            found = self._peeked[file] = self._peek(file)
        return found[0], f"{number} {found[1]}"

    def _peek(self, file: File) -> tuple[str, str]:
        """The study of a DICOS file and its channel; what cannot be read (yet) is a scan of its own."""
        from drivers.xray.dicos import image, uids
        from drivers.xray.dicos.dataset import parse, read_value
        from edge_agent.processing.xray.scan import ScanError

        alone = f"\0{file.name}", "single"
        try:
            with (self._folder / file.name).open("rb") as opened:
                dataset = parse(opened.read(_PEEK_BYTES), pixels=False)
        except (OSError, ScanError):
            return alone
        if read_value(dataset, "SOPClassUID", str, "") in uids.REPORTS:
            return f"\0{file.name}", REPORT
        study = read_value(dataset, "StudyInstanceUID", str, "")
        channel = image.channel_of(dataset).value
        if not study or channel == "single":
            return alone
        return f"{study} {read_value(dataset, 'AcquisitionNumber', str, '')}", channel

    def is_whole(self, roles: frozenset[str]) -> bool:
        """Whether a scan of these roles lacks nothing."""
        channels = {role.partition(" ")[2] for role in roles}
        if "" not in channels:  # all of them DICOS
            return bool(channels & {"single", REPORT}) or {"low", "high"} <= channels
        wanted = {f"{number}" for number, file in enumerate(self.layout.file) if file.content != "dicos"}
        return self.layout.each_file_is_a_scan or wanted <= roles


def described(layout: Layout, role: str) -> Description:
    """What a layout says of the files in a role."""
    return layout.file[int(role.partition(" ")[0])]
