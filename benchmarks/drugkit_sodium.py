"""Learns how sodium lamps mislead: the direction in which they move the card's colours after the best 3 x 3.

    python -m benchmarks.drugkit_sodium

rewrites ``edge_agent/processing/colourtest/sodium.csv``. Residuals alone do not tell a high-pressure sodium lamp from a
bulb before a poor camera; their pattern over the patches does. Ridge-regularized logistic regression on rendered cards:
random cameras, prints between a chart's pigments and smooth inks, 13 lamps to be trusted, 3 metal-halide, 2 sodium.
"""

from __future__ import annotations

import csv

import numpy as np

from benchmarks.drugkit_spectra import SODIUM, TRUSTED, Print, chart_print, ink_print, lamp, random_camera, seen
from edge_agent.processing.colourtest.card import NOMINAL, patches
from edge_agent.processing.colourtest.colour import Array
from edge_agent.processing.colourtest.correct import COLOURED, fit_matrix
from edge_agent.processing.colourtest.sodium import FILE

LAMPS = (*TRUSTED, "HP3", "HP4", "HP5", *SODIUM)
CAMERAS = 500
RIDGE = 30.0
MISSED = 0.01
"""Part of the sodium lamps seen in training that may pass."""
_NOISE = 0.004
_SEED = 7


def mixed_print(rng: np.random.Generator) -> Print:
    """A print somewhere between real pigments and smooth inks."""
    part = rng.random()
    one, other = chart_print().reflectances, ink_print().reflectances
    return Print({name: part * one[name] + (1 - part) * other[name] for name in (*NOMINAL, "paper")})


def residuals(name: str, camera: Array, card: Print, rng: np.random.Generator) -> Array:
    """Errors of the coloured patches, shape (54,), in units of CIEDE2000."""
    names = tuple(patch.name for patch in patches())
    light = lamp(name)
    rgb = np.stack([seen(card.reflectances[each], light, camera) for each in names])
    rgb = rgb / seen(card.reflectances["paper"], light, camera) * (1 + rng.normal(0, _NOISE, rgb.shape))
    references = card.references()
    matrix = fit_matrix(rgb, np.array([references[each] for each in names]), names)
    return np.concatenate([matrix.errors[each] for each in COLOURED])


def learn(features: Array, sodium: Array) -> tuple[Array, float]:
    """Weights and bias, by Newton's method; both classes weigh the same."""
    design = np.column_stack((features, np.ones(len(features))))
    weights = np.where(sodium, 0.5 / sodium.mean(), 0.5 / (1 - sodium.mean()))
    penalty = np.diag(np.append(np.full(features.shape[1], RIDGE), 0))
    solution = np.zeros(design.shape[1])
    for _ in range(30):
        p = 1 / (1 + np.exp(-np.clip(design @ solution, -30, 30)))
        gradient = design.T @ (weights * (p - sodium)) + penalty @ solution
        curvature = (design * (weights * p * (1 - p))[:, None]).T @ design + penalty
        solution -= np.linalg.solve(curvature + 1e-9 * np.eye(len(solution)), gradient)
    scores = features @ solution[:-1]
    return solution[:-1], -float(np.percentile(scores[sodium > 0], 100 * MISSED))


def main() -> None:
    """Learn, and say how it does on cameras that were not learnt from."""
    rng = np.random.default_rng(_SEED)
    features, names = [], []
    for _ in range(CAMERAS):
        camera, card = random_camera(rng), mixed_print(rng)
        for name in LAMPS:
            features.append(residuals(name, camera, card, rng))
            names.append(name)
    x, lamps = np.array(features), np.array(names)
    y = np.isin(lamps, SODIUM).astype(np.float64)
    known = np.arange(len(x)) < 0.8 * len(x)
    weights, bias = learn(x[known], y[known])
    for name in LAMPS:
        taken = x[~known & (lamps == name)] @ weights + bias > 0
        print(f"{name:8} taken for sodium: {taken.mean():.3f} of {len(taken)}")
    with FILE.open("w", newline="") as opened:
        writer = csv.writer(opened, lineterminator="\n")
        writer.writerow(("patch", "lightness", "chroma", "hue"))
        for name, three in zip(COLOURED, weights.reshape(-1, 3), strict=True):
            writer.writerow((name, *(f"{value:.4f}" for value in three)))
        writer.writerow(("bias", f"{bias:.4f}", 0, 0))


if __name__ == "__main__":
    main()
