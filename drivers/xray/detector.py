"""The hook for a site's own detector: an ONNX model that runs along, in shadow until the site believes it.

No model comes with the agent. The model takes the coloured view and answers with boxes, as detectors exported from
torchvision do; other heads are wrapped into this form when they are exported:

* one input, float32, shape (1, 3, height, width), R G B from 0 to 1; the scan is scaled to it with the ratio of its
  sides kept, and what is left over at the right or below is white;
* outputs ``boxes`` (n, 4) as left, top, right, bottom in pixels of the input, ``scores`` (n,) from 0 to 1, and
  ``labels`` (n,), whole numbers from 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import cv2
import numpy as np
from numpy.typing import NDArray

from edge_agent.driver import DriverError

MOST_BOXES: Final = 50
_SIDE: Final = 1024
"""Of the input of a model that takes any size."""
_OUTPUTS: Final = ("boxes", "scores", "labels")
_SEEN: Final = 1000


@dataclass(frozen=True, slots=True)
class Detection:
    """A box in pixels of the scan: column, row, columns, rows."""

    label: str
    score: float
    box: tuple[int, int, int, int]


class Detector:
    """A model, loaded.

    Raises:
        DriverError: the extra is not installed, or the file is no such model; says which.
    """

    def __init__(self, path: Path, labels: Sequence[str], least_score: float) -> None:
        try:
            import onnxruntime
        except ImportError:
            raise DriverError(
                "The site's detector needs the extra 'detector': pip install 'edge-agent[detector]'."
            ) from None
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        options.log_severity_level = 4
        try:
            self._session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"])
        except Exception:  # it has exceptions of its own, one for each kind of damage
            raise DriverError(f"The detector {path} cannot be loaded: it is missing, or no ONNX model.") from None
        inputs, outputs = self._session.get_inputs(), {output.name for output in self._session.get_outputs()}
        shape = inputs[0].shape if len(inputs) == 1 else []
        if len(shape) != 4 or shape[1] != 3 or not outputs.issuperset(_OUTPUTS):
            raise DriverError(
                f"The detector {path} does not take one picture (1, 3, height, width) and give {', '.join(_OUTPUTS)}."
            )
        self._input = inputs[0].name
        self._height, self._width = (side if isinstance(side, int) else 0 for side in shape[2:])
        self._labels = tuple(labels)
        self._least = least_score

    def detect(self, picture: NDArray[np.uint8]) -> list[Detection]:
        """What the model sees in a picture, R G B, shape (rows, columns, 3); the surest first.

        Raises:
            RuntimeError: the model fails, or does not answer as it should.
        """
        rows, columns = picture.shape[:2]
        height, width = self._height or _SIDE, self._width or _SIDE
        scale = min(height / rows, width / columns)
        size = max(round(columns * scale), 1), max(round(rows * scale), 1)
        canvas = np.full((height, width, 3), 255, np.uint8)
        canvas[: size[1], : size[0]] = cv2.resize(picture, size, interpolation=cv2.INTER_AREA)
        tensor = np.ascontiguousarray(canvas.transpose(2, 0, 1)[None], np.float32) / 255
        try:
            answer: Any = self._session.run(list(_OUTPUTS), {self._input: tensor})
            boxes, scores, labels = (np.asarray(each, np.float64)[:_SEEN] for each in answer)
            boxes = boxes.reshape(-1, 4) / scale
            scores, labels = scores.reshape(len(boxes)), labels.reshape(len(boxes))
        except Exception as error:
            raise RuntimeError(f"The site's detector failed ({type(error).__name__}).") from None
        sane = np.isfinite(boxes).all(axis=1) & (scores >= self._least) & (scores <= 1)
        found = []
        for i in sorted(np.flatnonzero(sane), key=lambda i: -scores[i])[:MOST_BOXES]:
            left, right = np.clip(boxes[i, [0, 2]], 0, columns)
            top, bottom = np.clip(boxes[i, [1, 3]], 0, rows)
            box = int(left), int(top), int(np.ceil(right)) - int(left), int(np.ceil(bottom)) - int(top)
            if min(box[2:]) >= 1:
                found.append(Detection(self._label(labels[i]), round(float(scores[i]), 4), box))
        return found

    def _label(self, number: float) -> str:
        known = np.isfinite(number) and 0 <= number < len(self._labels)
        return self._labels[int(number)] if known else f"class {number:g}"
