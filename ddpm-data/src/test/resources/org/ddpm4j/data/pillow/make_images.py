"""Image files of many kinds, and what Pillow reads of each.

python3 make_images.py writes files/NAME and expected/NAME.png, the picture as Pillow 13.0 has it in
RGB: turned by its EXIF orientation, transparent pixels on white, inks as light.
"""

import io
import pathlib

import numpy as np
from PIL import Image, ImageOps

HERE = pathlib.Path(__file__).parent
FILES = HERE / "files"
EXPECTED = HERE / "expected"
HEIGHT, WIDTH = 10, 16
ORIENTATION = 274


def levels(channels):
    """Smooth pictures, different in each channel and without any symmetry."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    planes = [np.sin(x / (7 + 3 * k)) * np.cos(y / (5 + 2 * k)) for k in range(channels)]
    return ((np.stack(planes, -1) * 0.5 + 0.5) * 255).round().astype(np.uint8)


def jpeg(image, **options):
    file = io.BytesIO()
    image.save(file, "JPEG", quality=95, **options)
    return bytearray(file.getvalue())


def write_inks():
    inks = Image.fromarray(levels(4), "CMYK")
    (FILES / "cmyk.jpg").write_bytes(jpeg(inks))
    (FILES / "cmyk-subsampled.jpg").write_bytes(jpeg(inks, subsampling=2))
    inks.save(FILES / "cmyk.tif")
    exif = Image.Exif()
    exif[ORIENTATION] = 6
    (FILES / "cmyk-turned.jpg").write_bytes(jpeg(inks, exif=exif))
    plain = jpeg(inks)
    marker = plain.find(b"\xff\xee")
    length = plain[marker + 2] * 256 + plain[marker + 3]
    (FILES / "cmyk-without-adobe.jpg").write_bytes(plain[:marker] + plain[marker + 2 + length :])
    # Pillow writes no YCCK: the coded values as if they were inks, and then another marker.
    coded = np.array(Image.fromarray(255 - levels(3)).convert("YCbCr"))
    ycck = jpeg(Image.fromarray(255 - np.dstack([coded, levels(4)[..., 3]]), "CMYK"))
    ycck[ycck.find(b"Adobe") + 11] = 2
    (FILES / "ycck.jpg").write_bytes(ycck)


def write_colours():
    rgb = Image.fromarray(levels(3))
    grey = Image.fromarray(levels(1)[..., 0])
    alpha = Image.fromarray(levels(4), "RGBA")
    wide = Image.fromarray(levels(1)[..., 0].astype(np.uint16) * 257)
    (FILES / "rgb.jfif").write_bytes(jpeg(rgb))
    (FILES / "rgb.jpe").write_bytes(jpeg(rgb, progressive=True))
    (FILES / "grey.jpg").write_bytes(jpeg(grey))
    grey.save(FILES / "grey.png")
    grey.save(FILES / "grey.tif")
    wide.save(FILES / "grey16.tif")
    wide.save(FILES / "grey16.png")
    rgb.save(FILES / "rgb.tiff")
    rgb.save(FILES / "lzw.tif", compression="tiff_lzw")
    rgb.save(FILES / "deflate.tif", compression="tiff_adobe_deflate")
    rgb.save(FILES / "jpeg.tif", compression="jpeg")
    rgb.convert("1").save(FILES / "fax.tif", compression="group4")
    rgb.quantize(16).save(FILES / "palette.tif")
    alpha.save(FILES / "alpha.tif")
    alpha.save(FILES / "alpha.png")
    alpha.save(FILES / "alpha.webp", lossless=True)
    rgb.save(FILES / "lossless.webp", lossless=True)
    rgb.save(FILES / "lossy.webp", quality=90)
    rgb.save(
        FILES / "animated.webp",
        save_all=True,
        append_images=[ImageOps.invert(rgb)],
        lossless=True,
    )


def write_turned():
    rgb = Image.fromarray(levels(3))
    for number in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = number
        (FILES / f"turned{number}.jpg").write_bytes(jpeg(rgb, exif=exif))
        rgb.save(FILES / f"turned{number}.png", exif=exif)
        rgb.save(FILES / f"turned{number}.tif", exif=exif)
        rgb.save(FILES / f"turned{number}.webp", lossless=True, exif=exif)
    # The other byte order of EXIF data, and a number that there is not.
    exif = Image.Exif()
    exif.endian = ">"
    exif[ORIENTATION] = 8
    (FILES / "big-endian.jpg").write_bytes(jpeg(rgb, exif=exif))
    exif[ORIENTATION] = 9
    (FILES / "no-such-turn.jpg").write_bytes(jpeg(rgb, exif=exif))


def as_pillow_reads(file):
    image = ImageOps.exif_transpose(Image.open(file))
    if image.mode.startswith("I"):
        image = Image.fromarray((np.asarray(image).astype(np.uint32) // 257).astype(np.uint8))
    if image.mode in ("RGBA", "LA"):
        white = Image.new("RGBA", image.size, (255, 255, 255, 255))
        white.alpha_composite(image.convert("RGBA"))
        image = white
    return image.convert("RGB")


def main():
    FILES.mkdir(exist_ok=True)
    EXPECTED.mkdir(exist_ok=True)
    write_inks()
    write_colours()
    write_turned()
    for file in sorted(FILES.iterdir()):
        as_pillow_reads(file).save(EXPECTED / (file.name + ".png"), optimize=True)


main()
