"""A small renderer of shaded, rounded parts with a depth buffer.

Parts are seen without perspective. Each pixel's depth and normal are solved in closed form, so that
parts hide one another pixel by pixel, whatever the order they are drawn in.
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

# A color of 0..255, or a function of the drawn pixels that returns (n, 3) colors.
Color = np.ndarray | tuple[float, float, float]


@dataclass
class Canvas:
    """A window of the picture to draw one figure in.

    Args:
        left: Column of the window's first pixel in the picture.
        top: Row of the window's first pixel in the picture.
        width: Columns of the window.
        height: Rows of the window.
        light: Direction to the light (right, up, towards the camera), any length.
        ambient: Brightness where no light falls, a fraction.
    """

    left: int
    top: int
    width: int
    height: int
    light: np.ndarray
    ambient: float = 0.62
    color: np.ndarray = field(init=False)  # (height, width, 3), 0..255
    depth: np.ndarray = field(init=False)  # (height, width), larger is nearer; -inf where empty

    def __post_init__(self):
        self.color = np.zeros((self.height, self.width, 3), dtype=np.float32)
        self.depth = np.full((self.height, self.width), -np.inf, dtype=np.float32)
        light = np.asarray(self.light, dtype=np.float32)
        self.light = light / np.linalg.norm(light)

    @property
    def mask(self) -> np.ndarray:
        """(height, width) booleans: where something was drawn."""
        return np.isfinite(self.depth)

    def tube(
        self,
        start: np.ndarray,
        end: np.ndarray,
        radii: tuple[float, ...],
        paint: Color | Callable[[np.ndarray, np.ndarray, np.ndarray], np.ndarray],
        caps: tuple[float, float] = (1.0, 1.0),
        flatness: float = 1.0,
    ) -> None:
        """Draw a rounded tube of varying radius around a straight axis.

        Args:
            start: (column, row, depth) of the axis' first end in the picture, pixels.
            end: The same of its other end.
            radii: Radii at equal steps along the axis, pixels.
            paint: A color, or a function of (t, u, turn): the place along the axis 0..1, across it
                -1..1, and the angle of the surface about the axis in radians, 0 towards the camera.
            caps: How far the rounded ends reach beyond the axis, in radii.
            flatness: Extent in depth over extent across.
        """
        reach = max(radii) + 1
        window = self._window(np.minimum(start, end) - reach, np.maximum(start, end) + reach)
        if window is None:
            return
        pixels, dy, dx = window
        dy, dx = dy - np.float32(start[1]), dx - np.float32(start[0])
        axis = (end - start)[:2]
        length = max(float(np.hypot(*axis)), 1e-3)
        ex, ey = (np.float32(v / length) for v in axis)
        along = (dx * ex + dy * ey).ravel()
        across = (dy * ex - dx * ey).ravel()
        near_axis = np.flatnonzero(np.abs(across) < reach)
        pixels, along, across = pixels[near_axis], along[near_axis], across[near_axis]
        t = np.clip(along / np.float32(length), 0, 1)
        radius = np.interp(t, np.linspace(0, 1, len(radii)), radii).astype(np.float32)
        over = along - t * np.float32(length)
        over /= np.where(over < 0, np.float32(caps[0]), np.float32(caps[1]))
        u, v = across / radius, over / radius
        square = u * u + v * v
        inside = np.flatnonzero(square < 1)
        pixels, t, u, v, radius = (a[inside] for a in (pixels, t, u, v, radius))
        nz = np.sqrt(1 - square[inside])
        rise = np.float32(end[2] - start[2])
        depth = np.float32(start[2]) + t * rise + nz * radius * np.float32(flatness)
        place = (t, u, np.arctan2(u, nz)) if callable(paint) else ()
        normal = np.stack((v * ex - u * ey, -(v * ey + u * ex), nz))
        self._store(pixels, depth, normal, paint, place)

    def ellipsoid(
        self,
        center: np.ndarray,
        frame: np.ndarray,
        radii: np.ndarray,
        paint: Color | Callable[[np.ndarray], np.ndarray],
        keep: Callable[[np.ndarray], np.ndarray] | None = None,
    ) -> None:
        """Draw an ellipsoid, or the part of its surface that `keep` chooses.

        Args:
            center: (column, row, depth) in the picture, pixels.
            frame: (3, 3) rotation; its columns are the ellipsoid's own axes (right, up, near).
            radii: (3,) radii along these axes, pixels.
            paint: A color, or a function of (3, n) places on the unit sphere in its own axes.
            keep: A function of the same places; true where the surface exists.
        """
        reach = np.sqrt(((frame * radii) ** 2).sum(axis=1)) + 1
        window = self._window(center - reach, center + reach)
        if window is None:
            return
        pixels, y, x = window
        inverse = (frame / radii).T.astype(np.float32)  # picture axes -> unit sphere
        dy, dx = np.float32(center[1]) - y, x - np.float32(center[0])
        ray = inverse[:, 2]
        base = np.stack([(row[0] * dx + row[1] * dy).ravel() for row in inverse])  # (3, n)
        a, b, c = ray @ ray, ray @ base, (base * base).sum(axis=0) - 1
        root = b * b - a * c
        inside = np.flatnonzero(root > 0)
        z = (np.sqrt(root[inside]) - b[inside]) / a
        place = base[:, inside] + ray[:, None] * z
        pixels = pixels[inside]
        if keep is not None:
            kept = np.flatnonzero(keep(place))
            pixels, z, place = pixels[kept], z[kept], place[:, kept]
        normal = inverse.T @ place
        normal /= np.sqrt((normal * normal).sum(axis=0))
        self._store(pixels, np.float32(center[2]) + z, normal, paint, (place,))

    def nearest(self, column: float, row: float) -> float:
        """Return the depth of what is drawn at a place of the picture, -inf where nothing is."""
        i, j = round(row) - self.top, round(column) - self.left
        inside = 0 <= i < self.height and 0 <= j < self.width
        return float(self.depth[i, j]) if inside else -np.inf

    def _window(self, low: np.ndarray, high: np.ndarray):
        """Return the pixels between two corners, None if there are none.

        Their indices in the flattened canvas (n,), then their rows (h, 1) and columns (1, w) in the
        picture.
        """
        left, top = max(int(low[0]) - self.left, 0), max(int(low[1]) - self.top, 0)
        right = min(int(np.ceil(high[0])) + 1 - self.left, self.width)
        bottom = min(int(np.ceil(high[1])) + 1 - self.top, self.height)
        if left >= right or top >= bottom:
            return None
        rows = np.arange(top, bottom)[:, None]
        columns = np.arange(left, right)[None, :]
        pixels = (rows * self.width + columns).ravel()
        y, x = (rows + self.top).astype(np.float32), (columns + self.left).astype(np.float32)
        return pixels, y, x

    def _store(self, pixels, depth, normal, paint, place) -> None:
        """Color the pixels in which a surface is nearer than what was drawn before.

        Args:
            pixels: (n,) indices in the flattened canvas.
            depth: (n,) depths of the surface there.
            normal: (3, n) unit normals (right, up, near).
            paint: A color, or a function of `place`.
            place: Arrays whose last axis is n.
        """
        nearer = np.flatnonzero(depth > self.depth.reshape(-1)[pixels])
        pixels, normal = pixels[nearer], normal[:, nearer]
        diffuse = np.maximum(self.light @ normal, 0)
        # The rim of a rounded part is darker: it keeps parts of one color apart.
        rim = 0.72 + 0.28 * np.sqrt(np.maximum(normal[2], 0))
        shade = (self.ambient + (1.05 - self.ambient) * diffuse) * rim
        color = paint(*(p[..., nearer] for p in place)) if callable(paint) else paint
        self.depth.reshape(-1)[pixels] = depth[nearer]
        self.color.reshape(-1, 3)[pixels] = color * shade[:, None]
