"""Fashion-MNIST (2017): 70,000 pictures of clothes, 28x28, in the format and the numbers of MNIST, but harder."""

from __future__ import annotations

from pathlib import Path

from convoscope.data.sets import DataSet, RemoteFile, registry
from convoscope.data.sets._idx import read_idx_set

_MIRRORS = (
    "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
    "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
)
_MD5 = {
    "train-images-idx3-ubyte.gz": "f4a8712d7a061bf5bd6d2ca38dc4d50a",
    "train-labels-idx1-ubyte.gz": "9018921c3c673c538a1fc5bad174d6f9",
    "t10k-images-idx3-ubyte.gz": "8181f5470baa50b63fa0f6fddb340f0a",
    "t10k-labels-idx1-ubyte.gz": "15d484375f8d13e6eb1aabb0c3f46965",
}

fashion_mnist = registry.register("fashion-mnist")(
    DataSet(
        name="fashion-mnist",
        shape=(1, 28, 28),
        classes=(
            "T-shirt/top",
            "Trouser",
            "Pullover",
            "Dress",
            "Coat",
            "Sandal",
            "Shirt",
            "Sneaker",
            "Bag",
            "Ankle boot",
        ),
        classes_es=(
            "Camiseta/top",
            "Pantalón",
            "Suéter",
            "Vestido",
            "Abrigo",
            "Sandalia",
            "Camisa",
            "Zapatilla",
            "Bolso",
            "Botín",
        ),
        counts=(60_000, 10_000),
        mirrored=True,
        official_split=True,
        homepage="https://github.com/zalandoresearch/fashion-mnist",
        licence="MIT",
        citation="H. Xiao, K. Rasul, R. Vollgraf, Fashion-MNIST (2017), arXiv:1708.07747",
        read=read_idx_set,
        files=tuple(RemoteFile(name, md5, tuple(url + name for url in _MIRRORS)) for name, md5 in _MD5.items()),
        folders=("fashion-mnist", "fashion_mnist", "FashionMNIST/raw"),
        system_folders=(Path("/usr/share/datasets/fashion-mnist"),),  # Debian's package dataset-fashion-mnist
    )
)
