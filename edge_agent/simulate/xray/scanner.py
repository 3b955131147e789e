"""A line scanner: from thickness of known materials to raw counts, with the faults that detectors have."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from edge_agent.processing.xray.scan import Channel, Orientation, Scan
from edge_agent.simulate.xray.beam import Beam, sandwich
from edge_agent.simulate.xray.materials import MATERIALS

Thickness = NDArray[np.float32]
"""Millimetres of one material along the ray of each pixel, shape (rows, columns)."""
Counts = NDArray[np.uint16]

_CHUNK = 1 << 15
"""Pixels at a time: their transmission by energy has to fit into the cache."""


@dataclass(frozen=True, slots=True)
class Detector:
    """One line of detector elements with two channels; each column of a scan is one element.

    Attributes:
        photons: Mean number that reach an element per line in the open beam.
        open_beam: Mean counts of the open beam above the dark level.
        dark: Mean counts without radiation.
        dark_spread: Standard deviation of the dark level between elements, in counts.
        dark_drift: How much the dark level rises from the first line to the last, in counts.
        gain_spread: Standard deviation of the gain between elements, relative.
        gain_drift: How much the beam weakens from the first line to the last, relative.
        read_noise: Standard deviation of one reading, in counts.
        dead: Elements that always say the dark level.
        scatter: Share of the mean signal of each line that every element sees besides its own (veiling glare).

    """

    photons: float = 20_000
    open_beam: float = 50_000
    dark: float = 1_000
    dark_spread: float = 0.0
    dark_drift: float = 0.0
    gain_spread: float = 0.03
    gain_drift: float = 0.0
    read_noise: float = 1.0
    dead: tuple[int, ...] = ()
    scatter: float = 0.0


@dataclass(frozen=True, slots=True)
class Scanner:
    """A beam, its detectors, the pitch of their pixels in the object's plane, and how their lines lie."""

    beam: Beam = field(default_factory=sandwich)
    detector: Detector = field(default_factory=Detector)
    pitch_mm: tuple[float, float] = (0.8, 0.8)
    lines: Orientation = Orientation.LINES_ARE_ROWS

    def scan(self, phantom: dict[str, Thickness], seed: int) -> Scan:
        """What the scanner would send of a phantom of ``{material's name: thickness}``; the same for the same seed.

        The gains and faults of the elements hang on the scanner, not on ``seed``.
        """
        upright = self.lines is Orientation.LINES_ARE_ROWS
        signals = expected(phantom, self.beam)
        low, high, low_var, high_var = signals if upright else (np.ascontiguousarray(s.T) for s in signals)
        rng = np.random.default_rng(seed)
        made = np.random.default_rng(7)
        channels = []
        for number, (mean, variance) in enumerate(((low, low_var), (high, high_var))):
            counts = self._read(mean, variance, self._share(number), rng, made)
            channels.append(counts if upright else np.ascontiguousarray(counts.T))
        levels = {Channel.LOW: self.detector.dark, Channel.HIGH: self.detector.dark}
        return Scan(
            low=channels[0],
            high=channels[1],
            pitch_mm=self.pitch_mm,
            dark=levels,
            orientation=self.lines,
        )

    def _share(self, channel: int) -> float:
        """Photons that a channel absorbs of those that arrive."""
        absorbed = (self.beam.low, self.beam.high)[channel]
        return float(absorbed.sum() / self.beam.arriving)

    def _read(
        self,
        mean: NDArray[np.float32],
        variance: NDArray[np.float32],
        share: float,
        rng: np.random.Generator,
        made: np.random.Generator,
    ) -> Counts:
        d = self.detector
        rows, columns = mean.shape
        if d.scatter:
            mean = mean + d.scatter * mean.mean(axis=1, keepdims=True)
        # As many events as have the right mean and variance, each counting the same: for many events this is the
        # compound Poisson law of an integrating detector, for few it stays whole and positive as that does.
        each = variance / (np.maximum(mean, 1e-9) * d.photons * share)
        events = mean / np.maximum(each, 1e-12)
        plenty = events > 50
        noise = rng.standard_normal(mean.shape, dtype=np.float32)
        signal = events + np.sqrt(events) * noise
        few = np.flatnonzero(~plenty)
        signal.ravel()[few] = rng.poisson(events.ravel()[few])
        signal *= each
        gain = d.open_beam * np.asarray(1 + d.gain_spread * made.standard_normal(columns), np.float32)
        dark = np.asarray(d.dark + d.dark_spread * made.standard_normal(columns), np.float32)
        along = np.linspace(0, 1, rows, dtype=np.float32)[:, None]
        gain[list(d.dead)] = 0
        signal *= gain * (1 - d.gain_drift * along)
        signal += dark + d.dark_drift * along
        if d.read_noise:
            signal += np.float32(d.read_noise) * rng.standard_normal(mean.shape, dtype=np.float32)
        return np.clip(np.rint(signal), 0, 65535).astype(np.uint16)


def expected(phantom: dict[str, Thickness], beam: Beam) -> tuple[NDArray[np.float32], ...]:
    """Mean signal of both channels, and its variance per absorbed photon of the open beam; open beam is 1.

    Returns:
        Mean of low and high, then variance of low and high for one absorbed photon, each of shape (rows, columns).
    """
    names = list(phantom)
    thickness = [phantom[name].ravel() for name in names]
    shape = next(iter(phantom.values())).shape
    mu = np.array([MATERIALS[name].attenuation(beam.energies) for name in names], np.float32)
    weights = np.empty((len(beam.energies), 4), np.float64)
    for i, absorbed in enumerate((beam.low, beam.high)):
        share = absorbed / absorbed.sum()
        energy = beam.energies / (share @ beam.energies)
        weights[:, i] = share * energy
        weights[:, 2 + i] = share * energy**2
    weights32 = weights.astype(np.float32)
    out = np.empty((thickness[0].size, 4), np.float32)
    out[:] = weights32.sum(axis=0)
    inside = np.flatnonzero(np.any([t > 0 for t in thickness], axis=0))
    for start in range(0, inside.size, _CHUNK):
        chunk = inside[start : start + _CHUNK]
        depth = np.stack([t[chunk] for t in thickness], axis=1) @ mu
        np.negative(depth, out=depth)
        np.exp(depth, out=depth)
        out[chunk] = depth @ weights32
    return tuple(np.ascontiguousarray(out[:, i]).reshape(shape) for i in range(4))
