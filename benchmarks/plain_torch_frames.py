"""Networks on frames in plain PyTorch, as somebody writes them without this suite.

``python benchmarks/plain_torch_frames.py learnet --batch 16`` prints the seconds of a step.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import torch
from torch import nn
from torch.nn import functional as F  # noqa: N812 - Everybody calls it so.


def conv(filters: int, edge: int, stride: int = 1, padding: int | None = None) -> nn.Sequential:
    """A convolution of images with ReLU, padded to the same size at stride 1."""
    padding = edge // 2 if padding is None else padding
    return nn.Sequential(nn.LazyConv2d(filters, edge, stride, padding), nn.ReLU())


def dense(*units: int, activation: type[nn.Module] = nn.ReLU, rate: float = 0.5) -> list[nn.Module]:
    """Dense layers, each with dropout."""
    return [
        layer for width in units for layer in (nn.LazyLinear(width), activation(), nn.Dropout(rate))
    ]


class Join(nn.Module):
    """Modules side by side along the channels: on one input, or on one each."""

    def __init__(self, *modules: nn.Module) -> None:
        super().__init__()
        self.parts = nn.ModuleList(modules)

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Apply each module, and concatenate."""
        inputs = inputs * len(self.parts) if len(inputs) == 1 else inputs
        return torch.cat([part(x) for part, x in zip(self.parts, inputs, strict=True)], dim=1)


class After(nn.Sequential):
    """A sequence whose first module takes all inputs."""

    def forward(self, *inputs: torch.Tensor) -> torch.Tensor:
        """Apply the modules."""
        x = self[0](*inputs)
        for module in self[1:]:
            x = module(x)
        return x


class Scale(nn.Module):
    """Values multiplied, then moved, by a number or by one for each channel of images."""

    def __init__(self, scale: float, offset: float | Sequence[float] = 0.0) -> None:
        super().__init__()
        self.scale = scale
        self.register_buffer("offset", torch.tensor(offset).reshape(-1, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Multiply and add."""
        return x * self.scale + self.offset


class LearNet(nn.Module):
    """Dynamic images -> scores of three classes."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = conv(16, 3, 2)
        self.branches = nn.ModuleList(
            nn.ModuleList(conv(filters, edge, 2) for _ in range(4))
            for filters, edge in ((16, 1), (32, 3), (64, 5))
        )
        self.norms = nn.ModuleList(
            nn.ModuleList(nn.LazyBatchNorm2d() for _ in range(2)) for _ in range(2)
        )
        self.head = nn.Sequential(
            nn.LazyBatchNorm2d(), conv(256, 3, 2), nn.Flatten(), *dense(256), nn.LazyLinear(3)
        )

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return the scores."""
        maps = [self.stem(images)] * 4
        for layer, norms in zip(self.branches, [*self.norms, ()], strict=True):
            a, b, c, d = (branch(x) for branch, x in zip(layer, maps, strict=True))
            maps = [a, norms[0](a + b), c, norms[1](c + d)] if norms else [a, b, c, d]
        return self.head(torch.cat(maps, dim=1))


def conv3d() -> nn.Sequential:
    """The convolution of MicroExpSTCNN and of each stream of MicroExpFuseNet, flat."""
    layers = (nn.LazyConv3d(32, (15, 3, 3)), nn.ReLU(), nn.MaxPool3d(3))
    return nn.Sequential(*layers, nn.Dropout(0.5), nn.Flatten())


def microexp_stcnn() -> nn.Module:
    """Clips -> scores of three classes."""
    return nn.Sequential(conv3d(), *dense(128), nn.LazyLinear(3))


def microexp_fusenet() -> nn.Module:
    """Clips of eyes and mouth -> scores of three classes."""
    layers = dense(1024, 128, activation=nn.Identity)
    return After(Join(conv3d(), conv3d()), *layers, nn.LazyLinear(3))


def microexp_fusenet_late() -> nn.Module:
    """The same, whose streams meet behind their dense layers."""
    streams = [nn.Sequential(conv3d(), *dense(1024, 128, activation=nn.Identity)) for _ in range(2)]
    return After(Join(*streams), nn.LazyLinear(3))


def alexnet_maps(groups: int) -> nn.Sequential:
    """Maps behind the last pooling, flat."""

    def grouped(filters: int, edge: int) -> nn.Sequential:
        convolution = nn.LazyConv2d(filters, edge, padding=edge // 2, groups=groups)
        return nn.Sequential(convolution, nn.ReLU())

    def norm() -> nn.Module:
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    return nn.Sequential(
        *(conv(96, 11, 4, padding=0), nn.MaxPool2d(3, 2), norm()),
        *(grouped(256, 5), nn.MaxPool2d(3, 2), norm()),
        *(conv(384, 3), grouped(384, 3), grouped(256, 3), nn.MaxPool2d(3, 2)),
        nn.Flatten(),
    )


def alexnet() -> nn.Module:
    """Images, 0..255 -> scores of five classes."""
    scale = Scale(1 / 255, [-0.485, -0.458, -0.408])
    return nn.Sequential(scale, alexnet_maps(groups=2), *dense(4096, 4096), nn.LazyLinear(5))


class EachFrame(nn.Module):
    """A module on each frame of clips, (batch, time, ...) -> (batch, time, values)."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, clips: torch.Tensor) -> torch.Tensor:
        """Join the frames with the batch, and part them again."""
        return self.module(clips.flatten(0, 1)).unflatten(0, clips.shape[:2])


class LastState(nn.Module):
    """PyTorch's LSTM with one bias, whose last state is read."""

    def __init__(self, width: int, units: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, units, batch_first=True)
        self.lstm.bias_hh_l0.requires_grad_(False)

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Return the state behind the last frame."""
        return self.lstm(values)[0][:, -1]


def alexnet_lstm() -> nn.Module:
    """Clips, 0..1 -> scores of five classes."""
    scale = Scale(1.0, [-0.485, -0.458, -0.408])
    frames = EachFrame(nn.Sequential(scale, alexnet_maps(groups=1), *dense(4096, 4096)))
    return nn.Sequential(frames, LastState(4096, 256), nn.LazyLinear(5))


def vgg16_maps() -> nn.Sequential:
    """Maps of images, 0..255, behind the last pooling, flat."""
    layers: list[nn.Module] = [Scale(1 / 255)]
    for depth, filters in zip((2, 2, 3, 3, 3), (64, 128, 256, 512, 512), strict=True):
        layers += [*(conv(filters, 3) for _ in range(depth)), nn.MaxPool2d(2)]
    return nn.Sequential(*layers, nn.Flatten())


def vgg16() -> nn.Module:
    """Images, 0..255 -> scores of five classes."""
    return nn.Sequential(vgg16_maps(), *dense(4096, 4096), nn.LazyLinear(5))


class HardLstm(nn.Module):
    """An LSTM whose gates are hard sigmoids, which PyTorch's has not; its last state is read."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.inputs = nn.LazyLinear(4 * units)
        self.states = nn.Linear(units, 4 * units, bias=False)
        self.units = units

    def forward(self, values: torch.Tensor) -> torch.Tensor:
        """Run over the frames."""
        state = cell = values.new_zeros(len(values), self.units)
        for inputs in self.inputs(values).unbind(dim=1):
            entry, forget, candidate, exit_ = (inputs + self.states(state)).chunk(4, dim=1)
            cell = F.hardsigmoid(forget) * cell + F.hardsigmoid(entry) * candidate.tanh()
            state = F.hardsigmoid(exit_) * cell.tanh()
        return state


class Elrcn(nn.Module):
    """Clips of one stream or of several, 0..255 -> logarithms of five sigmoids."""

    def __init__(self, streams: int) -> None:
        super().__init__()
        self.streams = nn.ModuleList(
            EachFrame(nn.Sequential(vgg16_maps(), *dense(4096, 4096))) for _ in range(streams)
        )
        layers = (nn.LazyLinear(128), nn.ReLU(), nn.LazyLinear(5), nn.LogSigmoid())
        self.temporal = nn.Sequential(HardLstm(3000), *layers)

    def forward(self, *clips: torch.Tensor) -> torch.Tensor:
        """Return the scores."""
        features = [stream(x) for stream, x in zip(self.streams, clips, strict=True)]
        return self.temporal(torch.cat(features, dim=-1))


#: Maps of GoogLeNet's modules: 1x1; 1x1 and 3x3; 1x1 and 5x5; 1x1 behind a pool.
MODULES = (
    (64, 96, 128, 16, 32, 32),
    (128, 128, 192, 32, 96, 64),
    (192, 96, 208, 16, 48, 64),
    (160, 112, 224, 24, 64, 64),
    (128, 128, 256, 24, 64, 64),
    (112, 144, 288, 32, 64, 64),
    (256, 160, 320, 32, 128, 128),
    (256, 160, 320, 32, 128, 128),
    (384, 192, 384, 48, 128, 128),
)


def googlenet() -> nn.Module:
    """Images, 0..255 -> scores of five classes."""

    def pool() -> nn.Module:
        return nn.MaxPool2d(3, 2, ceil_mode=True)

    def norm() -> nn.Module:
        return nn.LocalResponseNorm(5, alpha=5e-4, beta=0.75, k=2.0)

    layers: list[nn.Module] = [Scale(1 / 255), conv(64, 7, 2), pool(), norm()]
    layers += [conv(64, 1), conv(192, 3), norm(), pool()]
    for number, (ones, reduce3, threes, reduce5, fives, pooled) in enumerate(MODULES):
        layers += [pool()] if number in (2, 7) else []
        layers.append(
            Join(
                conv(ones, 1),
                nn.Sequential(conv(reduce3, 1), conv(threes, 3)),
                nn.Sequential(conv(reduce5, 1), conv(fives, 5)),
                nn.Sequential(nn.MaxPool2d(3, 1, 1), conv(pooled, 1)),
            )
        )
    head = (nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Dropout(0.4), nn.LazyLinear(5))
    return nn.Sequential(*layers, *head)


def dtscnn() -> nn.Module:
    """Sequences of flow of two lengths -> scores of five classes."""

    def stream() -> nn.Module:
        return nn.Sequential(
            *(nn.LazyConv3d(16, (8, 3, 3), (4, 2, 2), (2, 1, 1)), nn.ReLU()),
            nn.MaxPool3d((1, 2, 2)),
            *(nn.LazyConv3d(32, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2)),
            *(nn.LazyConv3d(64, 3, padding=1), nn.ReLU(), nn.MaxPool3d(2)),
            *(nn.LazyConv3d(128, (4, 3, 3), padding=(0, 1, 1)), nn.ReLU()),
            *(nn.MaxPool3d((1, 2, 2)), nn.AdaptiveMaxPool3d(1), nn.Flatten()),
        )

    layers = (nn.LazyLinear(1024), nn.ReLU(), nn.LazyLinear(512), nn.ReLU(), nn.LazyLinear(5))
    return After(Join(stream(), stream()), *layers)


def normalised(filters: int, edge: int, stride: int = 1) -> nn.Sequential:
    """A convolution without a bias, and batch normalisation."""
    convolution = nn.LazyConv2d(filters, edge, stride, edge // 2, bias=False)
    return nn.Sequential(convolution, nn.BatchNorm2d(filters))


class Section(nn.Module):
    """A recurrent section of STRCN."""

    def __init__(self, maps: int) -> None:
        super().__init__()
        self.first = normalised(maps, 1)
        self.again = nn.ModuleList(normalised(maps, 3) for _ in range(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Convolve the input, then twice its sum with what came before."""
        y = self.first(x).relu()
        for convolution in self.again:
            y = convolution(y + x).relu()
        return y


def strcn() -> nn.Module:
    """Images of flow, 0..255 -> scores of three classes."""
    layers: list[nn.Module] = [Scale(1 / 255), normalised(512, 3), nn.ReLU(), nn.MaxPool2d(4)]
    for window in (4, 2, 2):
        layers += [Section(512), nn.MaxPool2d(window)]
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.LazyLinear(3))


class Residual(nn.Module):
    """Two 3x3 convolutions, and the input or a 1x1 convolution of it."""

    def __init__(self, filters: int, stride: int) -> None:
        super().__init__()
        layers = (normalised(filters, 3, stride), nn.ReLU(), normalised(filters, 3))
        self.convolutions = nn.Sequential(*layers)
        self.shortcut = normalised(filters, 1, stride) if stride > 1 else nn.Identity()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Add both."""
        return (self.shortcut(x) + self.convolutions(x)).relu()


def resnet18(stages: int = 4, *, pool: bool = True) -> nn.Sequential:
    """Maps of ResNet-18 up to a stage."""
    layers: list[nn.Module] = [normalised(64, 7, 2), nn.ReLU()]
    layers += [nn.MaxPool2d(3, 2, 1)] if pool else []
    for stage in range(stages):
        layers += [Residual(64 << stage, 2 if stage else 1), Residual(64 << stage, 1)]
    return nn.Sequential(*layers)


class Rows(nn.Module):
    """Means of some rows of the maps."""

    def __init__(self, rows: slice) -> None:
        super().__init__()
        self.rows = rows

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """(batch, channels, height, width) -> (batch, channels)."""
        return maps[:, :, self.rows].mean(dim=(2, 3))


def emr() -> nn.Module:
    """Coloured flow, 0..255 -> scores of three classes."""
    halves = [
        nn.Sequential(Rows(rows), *dense(64, activation=nn.Tanh, rate=0.1))
        for rows in (slice(0, 3), slice(3, None))
    ]
    return nn.Sequential(Scale(2 / 255, -1.0), resnet18(), Join(*halves), nn.LazyLinear(3))


def squash(vectors: torch.Tensor) -> torch.Tensor:
    """Shorten vectors to lengths below 1."""
    square = vectors.square().sum(dim=-1, keepdim=True)
    return vectors * square / (1 + square) / (square + 1e-8).sqrt()


class Capsules(nn.Module):
    """Capsules of the classes by three rounds of routing; ``axis``: over what couplings sum to 1.

    From (batch, channels, height, width), cut into capsules of 8, to logarithms of lengths.
    """

    def __init__(self, classes: int, count: int, width: int, axis: int) -> None:
        super().__init__()
        self.kernel = nn.Parameter(0.01 * torch.randn(classes, count, width, 8))
        self.axis = axis

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Predict and route."""
        primary = squash(maps.permute(0, 2, 3, 1).reshape(len(maps), -1, 8))
        predictions = torch.einsum("cnwi,bni->bcnw", self.kernel, primary)
        still = predictions.detach()
        agreement = torch.zeros_like(still[..., :1])
        for _ in range(2):
            coupling = agreement.softmax(dim=self.axis)
            result = squash((coupling * still).sum(dim=2, keepdim=True))
            agreement = agreement + (still * result).sum(dim=-1, keepdim=True)
        coupling = agreement.softmax(dim=self.axis)
        result = squash((coupling * predictions).sum(dim=2))
        return 0.5 * (result.square().sum(dim=-1) + 1e-16).log()


def capsulenet() -> nn.Module:
    """Images, 0..1 -> logarithms of the lengths of three capsules."""
    layers = (conv(256, 9, padding=0), nn.LazyConv2d(256, 9, 2), Capsules(3, 1152, 16, axis=1))
    return nn.Sequential(resnet18(stages=3, pool=False), *layers)


def icegan_discriminator() -> nn.Module:
    """Apex frames, 0..1 -> logarithms of the lengths of three capsules."""

    def spectral(channels: int, filters: int, edge: int, stride: int, *, bias: bool) -> nn.Module:
        padding = 0 if edge == 1 else 1
        convolution = nn.Conv2d(channels, filters, edge, stride, padding, bias=bias)
        return nn.utils.parametrizations.spectral_norm(convolution)

    layers: list[nn.Module] = []
    maps = (1, 64, 128, 256, 512, 512)
    for number, filters in enumerate(maps[1:]):
        stride, is_outer = (2 if number < 3 else 1), number in (0, 4)
        layers.append(spectral(maps[number], filters, 4, stride, bias=is_outer))
        layers += [nn.BatchNorm2d(filters)] if number else []
        layers.append(nn.LeakyReLU(0.2))
    layers += [nn.ZeroPad2d(1), spectral(512, 64, 1, 2, bias=True)]
    layers += [spectral(64, 128, 1, 1, bias=True), Capsules(3, 1024, 32, axis=2)]
    return nn.Sequential(*layers)


class Network(NamedTuple):
    """A network, and the shapes of its clips as PyTorch has them."""

    build: Callable[[], nn.Module]
    shapes: tuple[tuple[int, ...], ...]


NETWORKS = {
    "learnet": Network(LearNet, ((3, 112, 112),)),
    "microexp_stcnn": Network(microexp_stcnn, ((1, 96, 64, 64),)),
    "microexp_fusenet": Network(microexp_fusenet, ((1, 96, 32, 32),) * 2),
    "microexp_fusenet_late": Network(microexp_fusenet_late, ((1, 96, 32, 32),) * 2),
    "alexnet": Network(alexnet, ((3, 227, 227),)),
    "alexnet_lstm": Network(alexnet_lstm, ((16, 3, 227, 227),)),
    "vgg16": Network(vgg16, ((3, 224, 224),)),
    "googlenet": Network(googlenet, ((3, 224, 224),)),
    "elrcn": Network(lambda: Elrcn(1), ((9, 4, 224, 224),)),
    "elrcn_te": Network(lambda: Elrcn(2), ((9, 3, 224, 224),) * 2),
    "dtscnn": Network(dtscnn, ((3, 64, 128, 128), (3, 128, 128, 128))),
    "strcn": Network(strcn, ((2, 300, 245),)),
    "capsulenet": Network(capsulenet, ((3, 224, 224),)),
    "emr": Network(emr, ((3, 224, 224),)),
    "icegan_discriminator": Network(icegan_discriminator, ((1, 128, 128),)),
}


def build(name: str, batch: int, side: int | None = None) -> tuple[nn.Module, list[torch.Tensor]]:
    """Build a network and draw clips for it; ``side``: of its images, in place of the paper's."""
    build_network, shapes = NETWORKS[name]
    if side:
        shapes = tuple((*shape[:-2], side, side) for shape in shapes)
    network, clips = build_network(), [torch.rand(batch, *shape) for shape in shapes]
    with torch.no_grad():
        network(*(clip[:1] for clip in clips))  # Lazy layers take the sizes of their inputs.
    return network, clips


def parameter_count(network: nn.Module) -> int:
    """Return the number of trained weights."""
    return sum(weight.numel() for weight in network.parameters() if weight.requires_grad)


class Step:
    """A training step of one of the networks on one batch of noise, with Adam.

    Args:
        name: of the network.
        batch: number of clips.
        side: of the images, in place of the paper's.
    """

    def __init__(self, name: str, batch: int, side: int | None = None) -> None:
        torch.manual_seed(0)
        self.network, self.clips = build(name, batch, side)
        self.labels = torch.randint(0, 3, (batch,))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=1e-4)

    def __call__(self) -> float:
        """Take the step; return the loss."""
        self.optimizer.zero_grad()
        loss = F.cross_entropy(self.network(*self.clips), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()

    def parameter_count(self) -> int:
        """Trained weights of the network."""
        return parameter_count(self.network)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("name", choices=sorted(NETWORKS))
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--side", type=int)
    arguments = parser.parse_args()
    step = Step(arguments.name, arguments.batch, arguments.side)
    step()
    start = time.perf_counter()
    step()
    print(f"{time.perf_counter() - start:.3f} s")
