"""Writes what torchvision makes of pictures of other sizes and of folders of files.

Run from the repository root:  .venv/bin/python crates/blitz/tests/reference/make_pictures.py

Values are of the pictures as ImageFolder's users have them: PIL's, read by torchvision's loader.
The files in picture_files were written once, by `make_pictures.py files`: other versions of PIL
write other bytes.
"""

import json
import struct
import sys
import tempfile
import zlib
from pathlib import Path

import numpy as np
import torch
import torchvision
from PIL import Image, ImageOps
from torchvision import transforms
from torchvision.datasets import ImageFolder
from torchvision.transforms import functional

HERE = Path(__file__).parent
FILES = HERE / "picture_files"

SIZES = [
    # height, width, size of the shorter side
    (37, 53, 17),
    (53, 37, 32),
    (20, 33, 40),
    (5, 7, 16),
    (41, 13, 9),
    (3, 60, 4),
    (1, 9, 4),
    (16, 16, 8),
    (9, 6, 6),
]
CROPS = [(7, 9, 4), (8, 7, 5), (3, 8, 6), (4, 3, 7), (5, 5, 5), (10, 5, 6), (6, 11, 2)]
UNREADABLE = ("bomb.png", "picture.tiff")
NAMES = [
    "cat/b.png",
    "cat/a.PNG",
    "cat/inner/a.png",
    "cat/inner-2/a.png",
    "cat/inner/deep/a.png",
    "cat/Z.png",
    "cat/10.png",
    "cat/9.png",
    "cat/notes.txt",
    "Dog/é.png",
    "Dog/e.png",
    "鸟/一.png",
    "鸟/𝄞.png",
    "鸟/\uff21.png",
    "äpfel/1.png",
    "zebra/1.png",
]


def picture(channels, height, width):
    """u8 [C, H, W]: no axis looks like another."""
    k = torch.arange(channels * height * width)
    return ((k * 37 + (k * k) % 101) % 256).to(torch.uint8).view(channels, height, width)


def to_pil(values):
    array = values.permute(1, 2, 0).numpy()
    return Image.fromarray(array[:, :, 0] if array.shape[2] == 1 else array)


def resized():
    for channels in (1, 3):
        for height, width, size in SIZES:
            values = picture(channels, height, width)
            pil = functional.pil_to_tensor(transforms.Resize(size)(to_pil(values)))
            tensor = transforms.Resize(size, antialias=True)(values[:1].float() / 255)
            yield {
                "shape": [channels, height, width],
                "size": size,
                "sizes": list(pil.shape[1:]),
                "pil": pil.flatten().tolist(),
                "tensor": [round(value, 6) for value in tensor.flatten().tolist()],
            }


def cropped():
    for height, width, size in CROPS:
        values = picture(3, height, width)
        crop = functional.pil_to_tensor(transforms.CenterCrop(size)(to_pil(values)))
        yield {"shape": [3, height, width], "size": size, "values": crop.flatten().tolist()}


def grey():
    values = picture(3, 16, 23)
    one = functional.pil_to_tensor(transforms.Grayscale(1)(to_pil(values)))
    return {"shape": [3, 16, 23], "values": one.flatten().tolist()}


def order():
    """Classes, and files with their labels, as ImageFolder finds them."""
    with tempfile.TemporaryDirectory() as directory:
        for name in NAMES:
            path = Path(directory) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            to_pil(picture(3, 4, 5)).save(path, format="PNG")
        found = ImageFolder(directory)
        samples = [[str(Path(path).relative_to(directory)), y] for path, y in found.samples]
        return {"names": NAMES, "classes": found.classes, "samples": samples}


def files():
    """What torchvision's loader makes of each file, upright where EXIF says so."""
    made = {}
    for path in sorted(FILES.iterdir()):
        if path.name in UNREADABLE:
            continue
        image = ImageOps.exif_transpose(Image.open(path)).convert("RGB")
        rgb = functional.pil_to_tensor(image)
        made[path.name] = {"shape": list(rgb.shape), "values": rgb.flatten().tolist()}
    return made


def make_files():
    """Writes small files of many kinds."""
    FILES.mkdir(exist_ok=True)
    colour, alone = to_pil(picture(3, 9, 14)), to_pil(picture(1, 9, 14))
    ramp = np.add.outer(np.arange(9) * 20, np.arange(14) * 5).astype(np.uint8)
    smooth = Image.fromarray(np.stack([ramp, 255 - ramp, ramp // 2 + 40], 2))

    def save(name, image, **options):
        image.save(FILES / name, **options)

    save("rgb.png", colour, format="PNG")
    save("grey.png", alone, format="PNG")
    save("palette.png", smooth.quantize(16), format="PNG")
    save("one_bit.png", alone.convert("1"), format="PNG")
    alpha = smooth.copy()
    alpha.putalpha(alone)
    save("transparent.png", alpha, format="PNG")
    save("lossless.webp", colour, format="WEBP", lossless=True)
    save("rgb.bmp", colour, format="BMP")
    save("rgb.ppm", colour, format="PPM")
    frames = [smooth.quantize(16), alone.convert("P")]
    save("moving.gif", frames[0], format="GIF", save_all=True, append_images=frames[1:])
    save("smooth.jpg", smooth, format="JPEG", quality=95, subsampling=0)
    save("grey.jpg", Image.fromarray(ramp), format="JPEG", quality=95)
    save("progressive.jpg", smooth, format="JPEG", quality=95, progressive=True, subsampling=0)
    save("cmyk.jpg", smooth.convert("CMYK"), format="JPEG", quality=95, subsampling=0)
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was held upright: turn by 90 degrees
    save("turned.jpg", smooth, format="JPEG", quality=95, subsampling=0, exif=exif)
    sixteen = np.arange(9 * 14, dtype=np.uint16).reshape(9, 14) * 499
    save("sixteen_bits.png", Image.fromarray(sixteen), format="PNG")
    save("picture.tiff", colour, format="TIFF")
    (FILES / "bomb.png").write_bytes(png_header(20_000, 20_000))


def png_header(width, height):
    """A PNG file that says it is so large, and has nearly no pixels."""

    def chunk(kind, data):
        crc = zlib.crc32(kind + data)
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", crc)

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    parts = [chunk(b"IHDR", header), chunk(b"IDAT", zlib.compress(bytes(100))), chunk(b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(parts)


def main():
    value = {
        "torch": torch.__version__,
        "torchvision": torchvision.__version__,
        "resized": list(resized()),
        "cropped": list(cropped()),
        "grey": grey(),
        "order": order(),
        "files": files(),
    }
    (HERE / "pictures.json").write_text(json.dumps(value, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    if sys.argv[1:] == ["files"]:
        make_files()
    main()
