"""Support vector machines on kernels of feature vectors.

A kernel between clips needs nothing that is fitted: its matrix can be computed once for all clips
and indexed by each fold. What is fitted, from training clips alone, is the scale of the kernel and,
where it is asked for, the standardisation of the features.
"""

from typing import Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.metrics.pairwise import additive_chi2_kernel, euclidean_distances, linear_kernel
from sklearn.preprocessing import StandardScaler, normalize
from sklearn.svm import SVC

from mer_keras.arrays import Labels

Vectors: TypeAlias = NDArray[np.float64]
KernelName: TypeAlias = Literal["linear", "hellinger", "chi2", "poly", "rbf"]
#: Kernels of dot products; the others are of distances.
DOT_PRODUCTS = ("linear", "hellinger", "poly")
KERNELS = (*DOT_PRODUCTS, "chi2", "rbf")


class KernelSVM(ClassifierMixin, BaseEstimator):
    """A support vector machine, classes weighed alike, one against one.

    Kernels of feature vectors a and b, whose scale g is that of the training clips, so that one
    range of C fits all methods:

    - ``linear``: g a.b, with g = 1 / mean of a.a.
    - ``hellinger``: the same of sign(a) sqrt(abs(a)).
    - ``poly``: (g a.b + ``coef0``) ** ``degree``.
    - ``chi2``: exp(-g sum (a - b)^2 / (a + b)), with g = 1 / mean distance of different clips; for
      features that aren't negative.
    - ``rbf``: exp(-g sum (a - b)^2), with g likewise.
    """

    def __init__(
        self,
        kernel: KernelName = "linear",
        C: float = 1.0,  # noqa: N803 - This is scikit-learn's name.
        *,
        standardise: bool = False,
        unit: bool = False,
        degree: int = 3,
        coef0: float = 1.0,
        gamma: float | None = None,
    ) -> None:
        """Prepare.

        Args:
            kernel: see the class.
            C: weight of training clips on the wrong side.
            standardise: bring every feature to mean 0 and deviation 1 over the training clips.
            unit: scale every vector to length 1 first.
            degree: of ``poly``.
            coef0: of ``poly``.
            gamma: g itself; None: as the class says.
        """
        self.kernel = kernel
        self.C = C
        self.standardise = standardise
        self.unit = unit
        self.degree = degree
        self.coef0 = coef0
        self.gamma = gamma

    def prepared(self, x: NDArray[np.floating]) -> Vectors:
        """Feature vectors as the kernel takes them, (clips, length); each clip for itself."""
        if self.kernel not in KERNELS:
            raise ValueError(f"kernel {self.kernel!r}, expected one of {', '.join(KERNELS)}")
        vectors = np.asarray(x, np.float64)
        if self.unit:
            vectors = normalize(vectors)
        if self.kernel == "hellinger":
            vectors = np.sign(vectors) * np.sqrt(np.abs(vectors))
        return vectors

    def matrix(self, first: Vectors, second: Vectors) -> Vectors:
        """Dot products, or distances, of prepared vectors, (first clips, second clips)."""
        if self.kernel in DOT_PRODUCTS:
            return linear_kernel(first, second)
        if self.kernel == "rbf":
            return euclidean_distances(first, second, squared=True)
        if min(first.min(initial=0), second.min(initial=0)) < 0:
            raise ValueError("kernel 'chi2' takes no negative features: choose another kernel")
        return -additive_chi2_kernel(first, second)

    def fit(self, x: NDArray[np.floating], y: Labels, matrix: Vectors | None = None) -> "KernelSVM":
        """Learn from training clips.

        Args:
            x: (clips, length) features.
            y: (clips,) classes.
            matrix: (clips, clips), what ``matrix`` gives for them, if it is known already; not
                used with ``standardise``.
        """
        vectors = self.prepared(x)
        self.scaler_ = StandardScaler().fit(vectors) if self.standardise else None
        self.vectors_ = vectors if self.scaler_ is None else self.scaler_.transform(vectors)
        if matrix is None or self.standardise:
            matrix = self.matrix(self.vectors_, self.vectors_)
        self.scale_ = self._scale(matrix) if self.gamma is None else float(self.gamma)
        svm = SVC(kernel="precomputed", C=self.C, class_weight="balanced")
        self.svm_ = svm.fit(self._kernel(matrix), y)
        self.classes_ = self.svm_.classes_
        return self

    def predict(self, x: NDArray[np.floating], matrix: Vectors | None = None) -> Labels:
        """Classes of clips, (clips,).

        Args:
            x: (clips, length) features.
            matrix: (clips, training clips), as for ``fit``.
        """
        if matrix is None or self.standardise:
            vectors = self.prepared(x)
            vectors = vectors if self.scaler_ is None else self.scaler_.transform(vectors)
            matrix = self.matrix(vectors, self.vectors_)
        return self.svm_.predict(self._kernel(matrix))

    def _scale(self, matrix: Vectors) -> float:
        """Scale of the training clips' dot products or distances; 1 where these are all 0."""
        clips = len(matrix)
        if self.kernel in DOT_PRODUCTS:
            mean = float(np.trace(matrix)) / clips
        else:  # A clip's distance from itself is no distance.
            mean = float(matrix.sum() - np.trace(matrix)) / max(clips * (clips - 1), 1)
        return 1 / mean if mean > 0 else 1.0

    def _kernel(self, matrix: Vectors) -> Vectors:
        """Values of the kernel from dot products or distances."""
        scaled = matrix * self.scale_
        if self.kernel == "poly":
            return (scaled + self.coef0) ** self.degree
        return scaled if self.kernel in DOT_PRODUCTS else np.exp(-scaled)


class FeatureTable:
    """Feature vectors of all clips of a run, and matrices of kernels between them."""

    def __init__(self, vectors: NDArray[np.float32]) -> None:
        """Hold ``vectors``, (clips, length)."""
        self.vectors = vectors
        self._matrices: dict[tuple[str, bool], Vectors] = {}

    def matrix(
        self, machine: KernelSVM, first: NDArray[np.int64], second: NDArray[np.int64]
    ) -> Vectors | None:
        """Dot products or distances between some clips; None where they depend on the fold.

        Args:
            machine: which kernel.
            first: rows of the first clips.
            second: rows of the second clips.
        """
        if machine.standardise:
            return None
        key = machine.kernel, machine.unit
        if key not in self._matrices:
            prepared = machine.prepared(self.vectors)
            self._matrices[key] = machine.matrix(prepared, prepared)
        return self._matrices[key][np.ix_(first, second)]
