import numpy as np

from mer_keras.features.pixels import pixels


def test_pixels_are_all_values_row_by_row():
    clip = np.random.default_rng(0).random((3, 4, 5, 2), dtype=np.float32)
    expected = []
    for frame in clip:
        for row in frame:
            for position in row:
                expected.extend(position)
    vector = pixels(clip)
    assert vector.dtype == np.float32
    assert vector.tolist() == [float(value) for value in expected]
