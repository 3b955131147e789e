"""A driver whose process needs a compiled kernel."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import ClassVar

from edge_agent.driver import Driver, DriverSettings, Observation
from edge_agent.events.device import InputRejected


class Warmed(Driver[DriverSettings]):
    kind = "trial.kernel"
    Settings = DriverSettings
    preload: ClassVar[tuple[str, ...]] = ("warmed_kernels",)

    def observe(self) -> Iterator[Observation | None]:
        from warmed_kernels import kernel

        yield Observation(InputRejected(reason="trial", message=str(kernel(100))))
        while True:
            time.sleep(0.2)
            yield None
