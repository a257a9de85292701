"""HTNet and CausalNet in plain PyTorch, as their published code computes them.

Queries and keys are computed although a block has one place, a block is an item of the batch, and
dense layers on maps are convolutions of 1x1. The areas of the face are cut on the way in, so that
both networks read canvases (batch, 3, 28, 28), 0..255. Needs torch.

``python benchmarks/plain_torch_transformers.py htnet --batch 64`` prints the seconds of a step.
"""

import argparse
import time
from collections.abc import Sequence

import torch
from torch import nn

HEADS, HEAD_WIDTH = 3, 85
POSITIONS, POSITION_HEADS = 4, 8


class ChannelNorm(nn.Module):
    """Normalise over the channels of each place of a map (batch, channels, height, width)."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.scale = nn.Parameter(torch.ones(1, channels, 1, 1))
        self.shift = nn.Parameter(torch.zeros(1, channels, 1, 1))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a map of the same shape."""
        variance, mean = torch.var_mean(x, dim=1, keepdim=True, unbiased=False)
        return (x - mean) / (variance + 1e-5).sqrt() * self.scale + self.shift


class MapAttention(nn.Module):
    """Attention among the places of a map."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        inner = heads * HEAD_WIDTH
        self.to_all = nn.Conv2d(channels, 3 * inner, 1, bias=False)
        self.to_out = nn.Conv2d(inner, channels, 1)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a map of the same shape."""
        batch, _, height, width = x.shape
        shape = (batch, self.heads, HEAD_WIDTH, height * width)
        queries, keys, values = (part.reshape(shape) for part in self.to_all(x).chunk(3, dim=1))
        scores = torch.einsum("bhdi,bhdj->bhij", queries, keys) * HEAD_WIDTH**-0.5
        attended = torch.einsum("bhij,bhdj->bhdi", scores.softmax(dim=-1), values)
        return self.to_out(attended.reshape(batch, -1, height, width))


class Transformer(nn.Module):
    """Attention and two dense layers, each on normalised values and added to its input."""

    def __init__(self, channels: int, heads: int) -> None:
        super().__init__()
        self.attend = nn.Sequential(ChannelNorm(channels), MapAttention(channels, heads))
        self.feed = nn.Sequential(
            ChannelNorm(channels),
            nn.Conv2d(channels, 4 * channels, 1),
            nn.GELU(),
            nn.Conv2d(4 * channels, channels, 1),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a map of the same shape."""
        x = x + self.attend(x)
        return x + self.feed(x)


class Level(nn.Module):
    """Transformers within each of ``blocks`` x ``blocks`` parts of a map."""

    def __init__(self, channels: int, heads: int, blocks: int, places: int, depth: int) -> None:
        super().__init__()
        self.blocks = blocks
        self.positions = nn.Parameter(torch.randn(places))
        self.transformers = nn.Sequential(*(Transformer(channels, heads) for _ in range(depth)))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Return a map of the same shape."""
        batch, channels, height, width = x.shape
        n, high, wide = self.blocks, height // self.blocks, width // self.blocks
        x = x.reshape(batch, channels, n, high, n, wide).permute(0, 2, 4, 1, 3, 5)
        x = x.reshape(batch * n * n, channels, high, wide)
        x = self.transformers(x + self.positions.reshape(1, 1, high, wide))
        x = x.reshape(batch, n, n, channels, high, wide).permute(0, 3, 1, 4, 2, 5)
        return x.reshape(batch, channels, height, width)


def encoder(repeats: Sequence[int], dim: int = 256) -> nn.Sequential:
    """Canvases (batch, 3, 28, 28) -> maps (batch, 4 dim, 1, 1): three levels of transformers."""
    parts: list[nn.Module] = [Patches(), nn.Conv2d(3 * 49, dim, 1)]
    for number, depth in enumerate(repeats):
        channels = dim * 2**number
        parts.append(Level(channels, HEADS * 2**number, 2 ** (2 - number), 1, depth))
        if number < len(repeats) - 1:
            parts += [
                nn.Conv2d(channels, 2 * channels, 3, padding=1),
                ChannelNorm(2 * channels),
                nn.MaxPool2d(3, stride=2, padding=1),
            ]
    return nn.Sequential(*parts)


class Patches(nn.Module):
    """Patches of 7x7 pixels as channels, each pixel's channels together."""

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return (batch, 147, height / 7, width / 7)."""
        batch, channels, height, width = images.shape
        x = images.reshape(batch, channels, height // 7, 7, width // 7, 7)
        return x.permute(0, 3, 5, 1, 2, 4).reshape(batch, -1, height // 7, width // 7)


class HTNet(nn.Module):
    """(batch, 3, 28, 28) -> (batch, 3) scores."""

    images = 1

    def __init__(self) -> None:
        super().__init__()
        self.encode = encoder((2, 2, 10))
        self.norm = ChannelNorm(1024)
        self.classes = nn.Linear(1024, 3)

    def forward(self, canvas: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes."""
        return self.classes(self.norm(self.encode(canvas)).mean(dim=(2, 3)))


class PositionAttention(nn.Module):
    """Attention among four positions, (batch, 4, dim), of one tensor to another, under a mask."""

    def __init__(self, dim: int, scale: float, gamma: float | None = 0.5) -> None:
        super().__init__()
        self.scale = scale
        self.query, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)
        mask, bias = torch.ones(POSITIONS, POSITIONS), torch.zeros(POSITIONS, POSITIONS)
        if gamma is not None:
            for row in range(POSITIONS):
                column = POSITIONS - 1 - row
                mask[row, column], bias[row, column] = 0.0, -(column + 1) * gamma
        self.register_buffer("mask", mask)
        self.register_buffer("bias", bias)

    def forward(self, x: torch.Tensor, context: torch.Tensor) -> torch.Tensor:
        """Return (batch, 4, dim)."""
        keys, values = self.key_value(context).chunk(2, dim=-1)
        queries, keys, values = (of_heads(part) for part in (self.query(x), keys, values))
        scores = queries @ keys.transpose(-1, -2) * self.scale
        weights = (scores * self.mask + self.bias).softmax(dim=-1) * self.mask
        return self.out((weights @ values).transpose(1, 2).flatten(2))


class TimeChoice(nn.Module):
    """For each position of the second tensor, attention to that position of both tensors."""

    def __init__(self, dim: int, scale: float) -> None:
        super().__init__()
        self.scale = scale
        self.query, self.out = nn.Linear(dim, dim), nn.Linear(dim, dim)
        self.key_value = nn.Linear(dim, 2 * dim)

    def forward(self, first: torch.Tensor, second: torch.Tensor) -> torch.Tensor:
        """Return (batch, 4, dim)."""
        pair = torch.stack([first, second], dim=2)  # (batch, 4, 2, dim)
        keys, values = self.key_value(pair).chunk(2, dim=-1)
        shape = (*keys.shape[:3], POSITION_HEADS, -1)
        queries = self.query(second).reshape(*second.shape[:2], 1, POSITION_HEADS, -1)
        scores = (queries * keys.reshape(shape)).sum(dim=-1, keepdim=True) * self.scale
        return self.out((scores.softmax(dim=2) * values.reshape(shape)).sum(dim=2).flatten(2))


def of_heads(x: torch.Tensor) -> torch.Tensor:
    """(batch, 4, dim) -> (batch, heads, 4, dim / heads)."""
    return x.reshape(*x.shape[:2], POSITION_HEADS, -1).transpose(1, 2)


def feed(dim: int) -> nn.Sequential:
    """Two dense layers with GELU between them."""
    return nn.Sequential(nn.Linear(dim, 4 * dim), nn.GELU(), nn.Linear(4 * dim, dim))


class Cross(nn.Module):
    """Each of two tensors attends to the other, with one set of weights."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(dim)
        self.attend = PositionAttention(dim, dim**-0.5)
        self.feed = feed(dim)

    def forward(self, a: torch.Tensor, b: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both tensors, (batch, 4, dim) each."""
        normal_a, normal_b = self.norm(a), self.norm(b)
        a = a + self.attend(normal_a, b)
        b = b + self.attend(normal_b, a)
        return a + self.feed(a), b + self.feed(b)


class Causal(nn.Module):
    """Two tensors (batch, 4, dim) -> (batch, 12, dim): both directions of time and their joint."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.scale = (dim // POSITION_HEADS) ** -0.5
        self.norm = nn.LayerNorm(dim)
        self.spatial = PositionAttention(dim, self.scale)
        self.temporal = TimeChoice(dim, self.scale)
        self.feed = feed(dim)
        self.query, self.key, self.value, self.out = (nn.Linear(dim, dim) for _ in range(4))

    def direction(
        self, first: torch.Tensor, second: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Return both tensors after attention in space and in time."""
        first, second = self.norm(first), self.norm(second)
        first = first + self.spatial(first, first)
        second = second + self.spatial(second, second)
        second = second + self.temporal(first, second)
        return first + self.feed(first), second + self.feed(second)

    def forward(self, u: torch.Tensor, v: torch.Tensor) -> torch.Tensor:
        """Return the joint and the first tensor of each direction."""
        forward, forward_last = self.direction(u, v)
        backward, backward_last = self.direction(v, u)
        total = forward_last + backward_last
        queries, keys, values = (
            of_heads(part)
            for part in (self.query(forward_last), self.key(backward_last), self.value(total))
        )
        weights = (queries @ keys.transpose(-1, -2) * self.scale).softmax(dim=-1)
        joint = self.out((weights @ values).transpose(1, 2).flatten(2) + total)
        return torch.cat([joint, forward, backward], dim=1)


class CausalNet(nn.Module):
    """Four canvases (batch, 3, 28, 28), two of flow and two of directions -> (batch, 3) scores."""

    images = 4

    def __init__(self, dim: int = 256) -> None:
        super().__init__()
        self.encode_flow, self.encode_directions = encoder((3, 3, 9)), encoder((3, 3, 9))
        self.cross = nn.ModuleList(Cross(dim) for _ in range(9))
        self.causal = Causal(dim)
        self.classes = nn.Sequential(nn.Linear(3 * POSITIONS * dim, 2048), nn.Linear(2048, 3))

    def forward(self, *canvases: torch.Tensor) -> torch.Tensor:
        """Return the scores of the classes."""
        u, v = (positions(self.encode_flow(canvas)) for canvas in canvases[:2])
        a, b = (positions(self.encode_directions(canvas)) for canvas in canvases[2:])
        for layer in self.cross:
            a, b = layer(a, b)
        return self.classes(self.causal(u + a, v + b).flatten(1))


def positions(maps: torch.Tensor) -> torch.Tensor:
    """(batch, 4 dim, 1, 1) -> (batch, 4, dim): channel c is feature c // 4 of position c % 4."""
    return maps.reshape(len(maps), -1, POSITIONS).transpose(1, 2)


NETWORKS: dict[str, type[HTNet] | type[CausalNet]] = {"htnet": HTNet, "causalnet": CausalNet}


class Step:
    """A training step on drawn canvases, with Adam."""

    def __init__(self, name: str, batch: int) -> None:
        torch.manual_seed(0)
        self.network = NETWORKS[name]()
        self.canvases = [255 * torch.rand(batch, 3, 28, 28) for _ in range(self.network.images)]
        self.labels = torch.randint(0, 3, (batch,))
        self.optimizer = torch.optim.Adam(self.network.parameters(), lr=5e-5)

    def parameter_count(self) -> int:
        """Return the number of parameters."""
        return sum(p.numel() for p in self.network.parameters())

    def __call__(self) -> float:
        """Train once, and return the loss."""
        self.optimizer.zero_grad()
        loss = nn.functional.cross_entropy(self.network(*self.canvases), self.labels)
        loss.backward()
        self.optimizer.step()
        return loss.item()


def main() -> None:
    """Print the seconds of three steps."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("name", choices=sorted(NETWORKS))
    parser.add_argument("--batch", type=int, default=256)
    options = parser.parse_args()
    step = Step(options.name, options.batch)
    print(f"{step.parameter_count():,} parameters")
    for _ in range(3):
        started = time.perf_counter()
        loss = step()
        print(f"{time.perf_counter() - started:.2f} s, loss {loss:.4f}")


if __name__ == "__main__":
    main()
