"""Train the recognizer of machine readable zones on synthetic text, and write its weights into the package.

Needs PyTorch, which the product does not: python -m venv train && train/bin/pip install torch==2.13.0 -e .
Then: train/bin/python -m benchmarks.train_mrz. The seed is fixed; about half an hour on two cores.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from benchmarks import degrade
from edge_agent.processing.mrz.check_digits import ALPHABET
from edge_agent.processing.mrz.picture import Picture
from edge_agent.processing.mrz.recognize import kernels, straighten
from edge_agent.processing.mrz.recognize.network import LAYERS, SHIFT, SIZE, STEP, WEIGHTS

COLUMNS: Final = 16
"""Characters per training strip."""
BATCH: Final = 48
RANGED: Final = 40
"""Batches on which the largest activations are measured."""
NEAR: Final = 4.6
"""Pixels from a character's centre within which its class is taught."""


@dataclass(frozen=True)
class Batch:
    """Strips (batch, HEIGHT, width) and, per step: class or -1, weight of it, centre there (0 to 1), shift and size."""

    strips: NDArray[np.float32]
    classes: NDArray[np.int64]
    weights: NDArray[np.float32]
    centres: NDArray[np.float32]
    places: NDArray[np.float32]


def strip_and_targets(rng: np.random.Generator) -> tuple[NDArray[np.float32], tuple[NDArray[Any], ...]]:
    """One strip as it comes from a quad that is not quite right, with what the network should say of it."""
    severity = float(rng.uniform(0.05, 0.95))
    if rng.random() < 0.07:
        return _negative(rng)
    length = COLUMNS + 2 * degrade.BEYOND
    line = degrade.text(rng, length)
    first, last = 0, length
    if rng.random() < 0.22:
        first = int(rng.integers(degrade.BEYOND - 2, length - 5))
    elif rng.random() < 0.3:
        last = int(rng.integers(5, length - degrade.BEYOND + 3))
    line = " " * first + line[first:last] + " " * (length - last)
    sample = degrade.sample(rng, line, severity)
    start, end = sample.cells[degrade.BEYOND], sample.cells[degrade.BEYOND + COLUMNS - 1]
    band = straighten.band(_imprecise(rng, np.array((start[0], end[1], end[2], start[3]))), COLUMNS)
    (strip,) = straighten.strips(Picture(sample.grey), [band])
    if rng.random() < 0.05:  # upside down or mirrored: no text
        return np.ascontiguousarray(strip[:: rng.choice((-1, 1)), ::-1]), _nothing(band.width)
    return strip, _targets(sample, band)


def _imprecise(rng: np.random.Generator, quad: NDArray[np.float64]) -> NDArray[np.float32]:
    """The quad with its ends, height and tilt off by as much as a locator or a wrong guess of the pitch makes them."""
    along = (quad[1] - quad[0] + quad[2] - quad[3]) / 2
    down = (quad[3] - quad[0] + quad[2] - quad[1]) / 2
    rough = rng.random() < 0.45
    pitch = float(np.exp(_normal(rng, 0.1 if rough else 0.02, 0.21)))
    shift = rng.uniform(-1.5, 1.5) / COLUMNS
    left, right = 0.5 + shift - pitch / 2, 0.5 + shift + pitch / 2
    size = _normal(rng, 0.09 if rough else 0.03, 0.2)
    height = _normal(rng, 0.14 if rough else 0.03, 0.42)
    tilt = _normal(rng, 0.12 if rough else 0.02, 0.3)
    origin = quad[0]
    u = np.array((left, right, right, left))
    v = np.array((-size, -size, 1 + size, 1 + size)) + height + tilt * np.array((-0.5, 0.5, 0.5, -0.5))
    bent = origin + u[:, None] * along + v[:, None] * down
    return np.asarray(bent + rng.normal(0, 0.01, (4, 2)) * np.hypot(*down), np.float32)


def _normal(rng: np.random.Generator, deviation: float, most: float) -> float:
    return float(np.clip(rng.normal(0, deviation), -most, most))


def _targets(sample: degrade.Sample, band: straighten.Band) -> tuple[NDArray[Any], ...]:
    steps = band.width // STEP
    classes, weights = np.full(steps, -1, np.int64), np.zeros(steps, np.float32)
    centres, places = np.zeros(steps, np.float32), np.zeros((2, steps), np.float32)
    inverse = np.linalg.inv(band.matrix)
    cells = cv2.perspectiveTransform(sample.cells.reshape(1, -1, 2), inverse).reshape(-1, 4, 2)
    at = np.arange(steps) * STEP + (STEP - 1) / 2
    for character, cell in zip(sample.text, cells, strict=True):
        if character == " ":
            continue
        top, base = (cell[0] + cell[1]) / 2, (cell[2] + cell[3]) / 2
        middle = (top + base) / 2
        far = np.abs(at - middle[0])
        here = far < NEAR
        classes[here] = ALPHABET.index(character)
        weights[here] = 1 - far[here] / 6
        centres = np.maximum(centres, 1 - far / STEP).clip(0, 1).astype(np.float32)
        places[0, far < 8] = (middle[1] - straighten.MIDDLE) / SHIFT
        places[1, far < 8] = np.log((base[1] - top[1]) / straighten.CAPITALS) / SIZE
    return classes, weights, centres, places


def _negative(rng: np.random.Generator) -> tuple[NDArray[np.float32], tuple[NDArray[Any], ...]]:
    grey = degrade.negative(rng)
    width = straighten.PITCH * COLUMNS + 2 * straighten.MARGIN
    picture = cv2.resize(grey, (width, straighten.HEIGHT), interpolation=cv2.INTER_AREA)
    if rng.random() < 0.7:
        capitals = grey.shape[0] / 3.2
        middle, high = grey.shape[0] / 2 + rng.uniform(-1, 1) * capitals, capitals * 0.85
        rows = np.clip(np.array((middle - high, middle + high)), 0, grey.shape[0] - 2).astype(int)
        part = grey[rows[0] : rows[1] + 2, : round(2 * high * width / straighten.HEIGHT) + 2]
        picture = cv2.resize(part, (width, straighten.HEIGHT), interpolation=cv2.INTER_AREA)
    strip = picture.astype(np.float32)
    kernels.normalize(strip)
    return strip, _nothing(width)


def _nothing(width: int) -> tuple[NDArray[Any], ...]:
    steps = width // STEP
    none = np.zeros(steps, np.float32)
    return np.full(steps, -1, np.int64), none, none, np.zeros((2, steps), np.float32)


def batch(rng: np.random.Generator, size: int = BATCH) -> Batch:
    """Samples with their targets."""
    strips, targets = zip(*(strip_and_targets(rng) for _ in range(size)), strict=True)
    return Batch(np.array(strips), *(np.array(part) for part in zip(*targets, strict=True)))


class Recognizer(nn.Module):
    """The network of ``recognize.network``, trainable."""

    def __init__(self) -> None:
        super().__init__()
        layers: list[nn.Module] = []
        before = 1
        for layer in LAYERS:
            size, step = (layer.high, layer.wide), (layer.down, layer.right)
            padding = (layer.above, layer.left)
            last = layer is LAYERS[-1]
            layers.append(nn.Conv2d(before, layer.channels, size, step, padding, bias=last))
            if not last:
                layers += [nn.BatchNorm2d(layer.channels), nn.ReLU()]
            before = layer.channels
        self.layers = nn.Sequential(*layers)

    def forward(self, strips: Tensor) -> Any:
        """Outputs (batch, OUTPUTS, steps) for strips (batch, HEIGHT, width)."""
        return self.layers(strips[:, None])[:, :, 0]

    def largest(self, strips: Tensor) -> list[float]:
        """The largest activation of each layer but the last."""
        x, found = strips[:, None], []
        for module in self.layers:
            x = module(x)
            if isinstance(module, nn.ReLU):
                found.append(float(x.max()))
        return found

    def folded(self) -> Iterator[tuple[NDArray[np.float32], NDArray[np.float32]]]:
        """Matrix (high * wide * channels in, channels out) and bias of each layer, normalization folded in."""
        modules = list(self.layers)
        for i, module in enumerate(modules):
            if not isinstance(module, nn.Conv2d):
                continue
            weight, bias = module.weight.detach(), module.bias
            following = modules[i + 1] if i + 1 < len(modules) else None
            if isinstance(following, nn.BatchNorm2d):
                assert following.running_var is not None
                assert following.running_mean is not None
                factor = following.weight.detach() / torch.sqrt(following.running_var + following.eps)
                weight = weight * factor[:, None, None, None]
                bias = following.bias - following.running_mean * factor
            assert bias is not None
            matrix = weight.permute(2, 3, 1, 0).reshape(-1, weight.shape[0])
            yield matrix.detach().numpy(), bias.detach().numpy()


def loss_of(outputs: Tensor, targets: Batch) -> tuple[Tensor, dict[str, float]]:
    """What training makes small, and its parts."""
    count = len(ALPHABET)
    classes, weights = torch.from_numpy(targets.classes), torch.from_numpy(targets.weights)
    reading = functional.cross_entropy(outputs[:, :count], classes, ignore_index=-1, reduction="none")
    reading = (reading * weights).sum() / weights.sum()
    centres = functional.binary_cross_entropy_with_logits(outputs[:, count], torch.from_numpy(targets.centres))
    off = (outputs[:, count + 1 :] - torch.from_numpy(targets.places)).abs().mean(dim=1)
    known = (classes >= 0).float()
    places = (off * known).sum() / known.sum()
    right = ((outputs[:, :count].argmax(1) == classes).float() * weights).sum() / weights.sum()
    parts = {"reading": reading.item(), "centres": centres.item(), "places": places.item(), "right": right.item()}
    return reading + centres + 0.5 * places, parts


def _produce(seed: int, queue: Any) -> None:
    cv2.setNumThreads(1)
    rng = np.random.default_rng(seed)
    while True:
        queue.put(batch(rng))


def train(steps: int, seed: int, workers: int, threads: int) -> Recognizer:
    """Train for so many steps."""
    torch.manual_seed(seed)
    torch.set_num_threads(threads)
    queue: Any = multiprocessing.Queue(12)
    producers = [
        multiprocessing.Process(target=_produce, args=(seed * 1000 + i, queue), daemon=True) for i in range(workers)
    ]
    for producer in producers:
        producer.start()
    model = Recognizer()
    peak = 4e-3
    optimizer = torch.optim.AdamW(model.parameters(), lr=peak, weight_decay=0.01)
    started, shown = time.monotonic(), []
    model.train()
    for step in range(1, steps + 1):
        done = step / steps
        rate = peak * min(1, step / 200) * max(0.002, 0.5 * (1 + np.cos(np.pi * done)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        targets = queue.get()
        loss, parts = loss_of(model(torch.from_numpy(targets.strips)), targets)
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        nn.utils.clip_grad_norm_(model.parameters(), 2.0)
        optimizer.step()
        shown.append(parts)
        if step % 100 == 0:
            means = {name: round(float(np.mean([p[name] for p in shown])), 4) for name in parts}
            print(f"{step:6d} {(time.monotonic() - started) / 60:5.1f} min", means, flush=True)
            shown.clear()
    for producer in producers:
        producer.terminate()
    model.eval()
    return model


def save(model: Recognizer, path: Path, provenance: dict[str, Any]) -> None:
    """Write the weights as half floats, with the ranges of the activations and their provenance."""
    arrays: dict[str, Any] = {"provenance": np.array(json.dumps(provenance))}
    rng = np.random.default_rng(provenance["seed"])
    with torch.no_grad():
        largest = [model.largest(torch.from_numpy(batch(rng).strips)) for _ in range(RANGED)]
    arrays["ranges"] = np.array(largest, np.float32).max(axis=0)
    for i, (matrix, bias) in enumerate(model.folded()):
        arrays[f"weight{i}"], arrays[f"bias{i}"] = matrix.astype(np.float16), bias.astype(np.float32)
    np.savez_compressed(path, **arrays)


def main() -> None:
    """Train and save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=5200)
    parser.add_argument("--seed", type=int, default=3)
    parser.add_argument("--workers", type=int, default=1)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--output", type=Path, default=WEIGHTS)
    options = parser.parse_args()
    model = train(options.steps, options.seed, options.workers, options.threads)
    provenance = {
        "what": "recognizer of machine readable zones, trained on synthetic text only",
        "font": "edge_agent/simulate/fonts/OCRB.otf (public domain, Debian fonts-ocr-b)",
        "how": f"python -m benchmarks.train_mrz --steps {options.steps} --seed {options.seed}",
        "seed": options.seed,
        "date": datetime.now(UTC).date().isoformat(),
        "temperature": 1.0,
    }
    save(model, options.output, provenance)


if __name__ == "__main__":
    main()
