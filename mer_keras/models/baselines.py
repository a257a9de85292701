"""What a network must beat: predictors without a network, on the very input of the network."""

import numpy as np

#: what each baseline is called in reports
TITLES = {
    "majority": "majority class",
    "stratified": "stratified random",
    "shuffled_labels": "linear SVM, shuffled labels",
    "linear_svm": "linear SVM, same input",
    "flow_svm": "linear SVM, length of optical flow",
}

#: C of the linear SVM, on standardised input
SVM_C = 0.001


def predict(
    name: str,
    x_train: np.ndarray,
    y_train: np.ndarray,
    x_test: np.ndarray,
    classes: int,
    seed: int,
) -> np.ndarray:
    """Fit a baseline on the training samples and return what it says of the others.

    Args:
        name: a key of ``TITLES``. ``majority``: the most frequent training class. ``stratified``:
            a draw from the training classes' frequencies. ``linear_svm``: C = 0.001, balanced
            class weights, inputs standardised by the training samples. ``shuffled_labels``: the
            same SVM after the training labels were permuted; what it reaches is chance.
            ``flow_svm``: the same SVM; its inputs are how far the face moves at each place.
        x_train: (samples, ...) inputs.
        y_train: (samples,) class numbers.
        x_test: (samples, ...) inputs.
        classes: number of classes.
        seed: of draws and permutations.

    Returns:
        (test samples, classes) float32, one-hot: these predictors give decisions.
    """
    rng = np.random.default_rng(seed)
    if name == "majority":
        counts = np.bincount(y_train, minlength=classes)
        chosen = np.full(len(x_test), counts.argmax())
    elif name == "stratified":
        chosen = rng.choice(y_train, size=len(x_test))
    elif name in ("linear_svm", "shuffled_labels", "flow_svm"):
        labels = rng.permutation(y_train) if name == "shuffled_labels" else y_train
        chosen = _linear_svm(x_train, labels, x_test)
    else:
        raise KeyError(name)
    return np.eye(classes, dtype="float32")[chosen]


def _linear_svm(x_train: np.ndarray, y_train: np.ndarray, x_test: np.ndarray) -> np.ndarray:
    from sklearn.pipeline import make_pipeline
    from sklearn.preprocessing import StandardScaler
    from sklearn.svm import SVC

    if len(np.unique(y_train)) == 1:
        return np.full(len(x_test), y_train[0])
    svm = make_pipeline(StandardScaler(), SVC(kernel="linear", C=SVM_C, class_weight="balanced"))
    svm.fit(x_train.reshape(len(x_train), -1), y_train)
    return np.asarray(svm.predict(x_test.reshape(len(x_test), -1)))
