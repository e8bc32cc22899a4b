"""Parquet shards that `datasets.load_dataset` reads as pictures and messages; each is whole or absent.

pyarrow writes them directly. A column of pictures is dictionary-encoded: within a row group a reference photo that
many samples share is stored once.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from assistant import UserError
from data_gen.plan import Plan
from data_gen.sample import Row, make_row

if TYPE_CHECKING:
    import pyarrow as pa

DATA = "data"  # subfolder of the shards
FINGERPRINT = b"anomaly-assistant"  # key in a shard's metadata
GROUP_ROWS, GROUP_BYTES = 100, 48 << 20  # a row group ends at either; it is what a reader or writer holds at once
NAME = re.compile(r"train-(\d{5,})-of-\d{5,}\.parquet")
LEFTOVER = re.compile(rf"\.{NAME.pattern}\.\d+\.part")  # what a process killed in the middle leaves

_PICTURE = {"_type": "Image"}


def _value(kind: str) -> dict[str, str]:
    return {"dtype": kind, "_type": "Value"}


# In the words of `datasets.Features.to_dict`; a list in brackets is read by its older releases too.
FEATURES: dict[str, Any] = {
    "id": _value("int64"),
    "images": [_PICTURE],
    "messages": [{"role": _value("string"), "content": [{"type": _value("string"), "text": _value("string")}]}],
    "mask": _PICTURE,
    "defective": _value("bool"),
    "kinds": [_value("string")],
    "synthesizers": [_value("string")],
    "difficulty": _value("float32"),
    "quality": _value("float32"),
    "varied": _value("bool"),
    "dropped": _value("int32"),
    "product": _value("string"),
    "group": _value("string"),
    "normal": _value("string"),
    "references": [_value("string")],
    "facts": _value("string"),
    "inspection": _value("string"),
}


def schema(fingerprint: str) -> pa.Schema:
    """The arrow schema, with the features in its metadata where `datasets` looks for them."""
    import pyarrow as pa

    about = {b"huggingface": json.dumps({"info": {"features": FEATURES}}).encode(), FINGERPRINT: fingerprint.encode()}
    return pa.schema([(name, _arrow(feature)) for name, feature in FEATURES.items()], metadata=about)


def _arrow(feature: Any) -> pa.DataType:
    import pyarrow as pa

    if isinstance(feature, list):
        return pa.list_(_arrow(feature[0]))
    if feature.get("_type") == "Image":
        return pa.struct([("bytes", pa.binary()), ("path", pa.string())])
    if feature.get("_type") == "Value":
        return {"bool": pa.bool_(), "float32": pa.float32(), "int32": pa.int32(), "int64": pa.int64()}.get(
            feature["dtype"], pa.string()
        )
    return pa.struct([(name, _arrow(inner)) for name, inner in feature.items()])


def write_shard(plan: Plan, folder: Path, shard: int, tick: Callable[[], None]) -> None:
    """Make the samples of one shard and write them as `folder`/NAME; `tick` is called after each sample."""

    def rows() -> Iterator[Row]:
        for index in plan.samples(shard):
            yield make_row(plan, index)
            tick()

    path = folder / plan.shard_name(shard)
    beside = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with beside.open("wb") as stream:
            _write(rows(), schema(plan.fingerprint), stream)
            stream.flush()
            os.fsync(stream.fileno())  # or a power cut could leave a name without its data
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _write(rows: Iterable[Row], form: pa.Schema, stream: Any) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    writer = parquet.ParquetWriter(
        stream, form, compression="zstd", compression_level=1, dictionary_pagesize_limit=2 * GROUP_BYTES
    )
    with writer:
        group: list[Row] = []
        size = 0
        for row in rows:
            group.append(row)
            size += sum(len(picture["bytes"]) for picture in row["images"])
            if len(group) == GROUP_ROWS or size >= GROUP_BYTES:
                writer.write_table(pa.Table.from_pylist(group, form))
                group, size = [], 0
        if group:
            writer.write_table(pa.Table.from_pylist(group, form))


def check_folder(plan: Plan, folder: Path) -> None:
    """No shard of another data set may lie in the folder.

    Raises:
        UserError: one does; only a damaged file of ours is passed over, for `is_whole` to find.
    """
    import pyarrow as pa
    from pyarrow import parquet

    for path in sorted(folder.glob("*.parquet")):
        name = NAME.fullmatch(path.name)
        same = name is not None and path.name == plan.shard_name(int(name[1])) and int(name[1]) < plan.shards
        if same:
            try:
                about = parquet.read_schema(path).metadata or {}
            except pa.ArrowInvalid:
                continue
            same = about.get(FINGERPRINT) == plan.fingerprint.encode()
        if not same:
            raise UserError(
                f"{path} belongs to another data set (other options, normals or version)",
                "choose a new --out, or give the options it was made with",
            )


def is_whole(plan: Plan, folder: Path, shard: int) -> bool:
    """Whether a shard is there with all its rows; what `check_folder` let pass is judged by its footer."""
    import pyarrow as pa
    from pyarrow import parquet

    try:
        return int(parquet.read_metadata(folder / plan.shard_name(shard)).num_rows) == len(plan.samples(shard))
    except (FileNotFoundError, pa.ArrowInvalid):
        return False


def read_rows(paths: Iterable[Path], columns: Sequence[str] | None = None) -> Iterator[Row]:
    """The rows of shards in order, one row group in memory at a time."""
    from pyarrow import parquet

    for path in paths:
        with parquet.ParquetFile(path) as file:
            for number in range(file.num_row_groups):
                yield from file.read_row_group(number, columns=None if columns is None else list(columns)).to_pylist()
