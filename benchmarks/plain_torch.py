"""Small networks, leave-one-subject-out, as a plain PyTorch loop: what a script of the field is.

A new network, optimiser and ``DataLoader`` a fold; the last epoch's weights are tested. Scripts of
the field test after every epoch too, which is left out here. Needs torch.

``python benchmarks/plain_torch.py --name rcn --epochs 3`` prints seconds and UF1 on drawn data.
"""

import argparse
import time
from collections.abc import Callable

import numpy as np
import torch
from torch import nn
from torch.utils.data import DataLoader, TensorDataset

from mer_keras.bench import flow_like

BATCH = 256


class STSTNet(nn.Module):
    """Three streams of one convolution each; (batch, 3, 28, 28) -> (batch, 3) scores."""

    def __init__(self) -> None:
        super().__init__()
        self.streams = nn.ModuleList(_stream(filters) for filters in (3, 5, 8))
        self.pool = nn.AvgPool2d(2)
        self.fc = nn.Linear(16 * 5 * 5, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes."""
        x = torch.cat([stream(images) for stream in self.streams], dim=1)
        return self.fc(torch.flatten(self.pool(x), 1))


def _stream(filters: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, filters, kernel_size=3, padding=2),
        nn.ReLU(),
        nn.BatchNorm2d(filters),
        nn.MaxPool2d(kernel_size=3, stride=3, padding=1),
        nn.Dropout(0.5),
    )


class OFFApexNet(nn.Module):
    """Two streams on u and v; (batch, 3, 28, 28), 0..255 -> (batch, 3) scores."""

    def __init__(self) -> None:
        super().__init__()
        self.streams = nn.ModuleList(_components() for _ in range(2))
        self.head = nn.Sequential(
            nn.Linear(2 * 16 * 7 * 7, 1024),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(1024, 1024),
            nn.ReLU(),
            nn.Dropout(0.5),
            nn.Linear(1024, 3),
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes."""
        components = (images / 255).split(1, dim=1)
        maps = [stream(part) for stream, part in zip(self.streams, components, strict=False)]
        return self.head(torch.cat(maps, dim=1).flatten(1))


def _components() -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(1, 6, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(6, 16, kernel_size=5, padding=2),
        nn.ReLU(),
        nn.MaxPool2d(2),
    )


class RCNA(nn.Module):
    """The recurrent network with attention, RCN-A; (batch, 3, 28, 28), 0..255 -> scores."""

    def __init__(self, maps: int = 64, cells: int = 7) -> None:
        super().__init__()
        self.stem = nn.Sequential(
            nn.Conv2d(3, maps, kernel_size=5),
            nn.BatchNorm2d(maps),
            nn.ReLU(),
            nn.MaxPool2d(2),
            nn.Dropout(0.5),
        )
        self.first = _normalised(maps, 1)
        self.again = _normalised(maps, 3)
        self.out = nn.Sequential(nn.MaxPool2d(2), nn.Dropout(0.5))
        self.cells = nn.AdaptiveAvgPool2d(cells)
        self.classes = nn.Linear(maps * cells * cells, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes."""
        x = self.stem(images / 255)
        attention = self.attention(self.cells(x))
        y = self.first(x)
        for _ in range(2):
            y = self.again(x + y)
        return self.classes((self.cells(self.out(y)) * attention).flatten(1))

    def attention(self, cells: torch.Tensor) -> torch.Tensor:
        """Where the classes look: (batch, maps, 7, 7) -> (batch, 1, 7, 7)."""
        kernel = self.classes.weight.reshape(1, -1, *cells.shape[1:])
        of_class = (cells[:, None] * kernel).mean(dim=2)  # (batch, classes, 7, 7)
        of_class = of_class - of_class.amin(dim=(2, 3), keepdim=True)
        of_class = of_class / (of_class.amax(dim=(2, 3), keepdim=True) + 1e-12)
        return of_class.mean(dim=1, keepdim=True)


def _normalised(maps: int, edge: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(maps, maps, edge, padding=edge // 2), nn.BatchNorm2d(maps), nn.ReLU()
    )


#: Networks by the name that this suite has for them.
NETWORKS: dict[str, Callable[[], nn.Module]] = {
    "ststnet": STSTNet,
    "off_apexnet": OFFApexNet,
    "rcn": RCNA,
}


def build(name: str = "ststnet") -> nn.Module:
    """Return a new network."""
    return NETWORKS[name]()


def count_trainable(network: nn.Module) -> int:
    """Return the number of trained parameters."""
    return sum(p.numel() for p in network.parameters() if p.requires_grad)


def leave_one_out(
    flow: flow_like.FlowLike,
    *,
    epochs: int,
    folds: int,
    learning_rate: float,
    seed: int,
    name: str = "ststnet",
) -> tuple[float, np.ndarray]:
    """Leave out one subject after the other.

    Args:
        flow: the data.
        epochs: of each fold.
        folds: number of subjects that are left out.
        learning_rate: of Adam.
        seed: of weights, order and dropout.
        name: of the network, see ``NETWORKS``.

    Returns:
        Seconds, and (clips,) predicted classes; -1 where a clip's fold was left out.
    """
    started = time.perf_counter()
    torch.manual_seed(seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    images = torch.from_numpy(flow.images.transpose(0, 3, 1, 2).astype("float32"))
    labels = torch.from_numpy(flow.labels.astype("int64"))
    predicted = np.full(len(labels), -1)
    for subject in flow.people()[:folds]:
        test = torch.from_numpy(flow.subjects == subject)
        loader = DataLoader(
            TensorDataset(images[~test], labels[~test]), batch_size=BATCH, shuffle=True
        )
        network = build(name).to(device)
        optimizer = torch.optim.Adam(network.parameters(), lr=learning_rate)
        loss_of = nn.CrossEntropyLoss()
        network.train()
        for _ in range(epochs):
            for batch, truth in loader:
                optimizer.zero_grad()
                loss = loss_of(network(batch.to(device)), truth.to(device))
                loss.backward()
                optimizer.step()
        network.eval()
        with torch.no_grad():
            predicted[test.numpy()] = network(images[test].to(device)).argmax(1).cpu().numpy()
    return time.perf_counter() - started, predicted


def main() -> None:
    """Train, and print seconds and the pooled UF1."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--epochs", type=int, default=10)
    parser.add_argument("--folds", type=int, default=68)
    parser.add_argument("--learning-rate", type=float, default=5e-5)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--name", choices=sorted(NETWORKS), default="ststnet")
    options = parser.parse_args()
    flow = flow_like.draw()
    seconds, predicted = leave_one_out(flow, **vars(options))
    print(f"{seconds:.2f} s, UF1 {flow_like.uf1(flow.labels, predicted):.4f}")


if __name__ == "__main__":
    main()
