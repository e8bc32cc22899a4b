"""From good photos to a data set on disk: in parallel, repeatable, resumable.

    OUT/data/train-00000-of-00010.parquet ...   the samples
    OUT/README.md, contact_sheet.png            what is in it, for people and for `datasets`
    OUT/llava/, OUT/mvtec/                      exports, where wanted
    OUT/manifest.json                           written last: the data set is finished

A killed run leaves whole shards; the same call goes on from there. The scaled normals lie in `OUT/.normals` meanwhile.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from assistant import UserError, __version__
from assistant.evaluation.results import progress, remark, write_file
from assistant.report import make_folder
from data_gen.contact_sheet import write_contact_sheet
from data_gen.data_card import Summary, summarize, write_data_card
from data_gen.export import EXPORTS
from data_gen.normals import Normals
from data_gen.photo_folder import PhotoFolder, prepare_photos
from data_gen.phrasings import load_phrasings
from data_gen.plan import Plan, Recipe
from data_gen.rendered import Rendered
from data_gen.shards import DATA, LEFTOVER, check_folder, is_whole
from data_gen.workers import Pool, open_pool

STORE = ".normals"  # hidden, so that `load_dataset` passes it over
CARD, MANIFEST = "README.md", "manifest.json"


def generate_dataset(
    recipe: Recipe,
    out: Path,
    *,
    workers: int | None = None,
    part: tuple[int, int] | None = None,
    export: Sequence[str] = (),
    ray: bool = False,
) -> Summary | None:
    """Make the data set of a recipe in `out`, or what is missing of it.

    Args:
        workers: processes; None for as many as there are cores.
        part: (i, n) for every n-th shard from the i-th on, 0-based; the last steps are then left to a call without.
        export: names in `EXPORTS`.
        ray: make the shards as tasks of a Ray cluster instead.

    Returns:
        What is in the finished data set; None after a part.

    Raises:
        UserError: bad values, no usable normals, another data set in `out`, no space.
    """
    if unknown := [name for name in export if name not in EXPORTS]:
        raise UserError(f"there is no export {unknown[0]!r}", f"choose from {', '.join(EXPORTS)}")
    if recipe.templates is not None:
        load_phrasings(recipe.templates)
        recipe = replace(recipe, templates=recipe.templates.resolve())  # a worker elsewhere has another current folder
    _check_out(out, recipe.normals)
    try:
        with open_pool(workers or _cores()) as pool:
            plan = Plan.of(recipe, _normals(recipe, make_folder(out).resolve(), pool))
            _write_missing(plan, make_folder(out / DATA).resolve(), pool, part, ray)
        return None if part else _finish(plan, out, export)
    except OSError as error:
        why = error.strerror or str(error)
        raise UserError(
            f"{error.filename or out} cannot be written or read ({why})",
            "free some space and run the same again; whole shards are kept",
        ) from error


def _check_out(out: Path, normals: Path | None) -> None:
    """Nothing of the user's may be overwritten, nor the data set be taken for normals."""
    if normals is not None and out.resolve().is_relative_to(normals.resolve()):
        raise UserError(f"{out} lies inside {normals}", "choose an --out elsewhere")
    card = out / CARD
    if card.is_file() and f"{DATA}/train-*" not in card.read_text(encoding="utf-8", errors="replace"):
        raise UserError(f"{card} is not a data card, and would be overwritten", "choose a new --out")


def _normals(recipe: Recipe, out: Path, pool: Pool) -> Normals:
    if recipe.normals is None:
        return Rendered(recipe.seed, recipe.size, recipe.product)
    store = make_folder(out / STORE)
    normals = prepare_photos(recipe.normals, store, recipe.size, recipe.product, pool.map)
    for name, problem in normals.bad:
        remark(f"skipped: {problem if name in problem else f'{name}: {problem}'}")
    if normals.bad:
        remark(f"{len(normals.bad)} of {len(normals.bad) + len(normals.names)} photos cannot be used")
    return normals


def _write_missing(plan: Plan, data: Path, pool: Pool, part: tuple[int, int] | None, ray: bool) -> None:
    """Write the shards of this part that are not there yet."""
    check_folder(plan, data)
    first, step = part or (0, 1)
    own = range(first, plan.shards, step)
    for leftover in data.glob(".*.part"):  # of a killed run; other parts may be at work in the same folder
        if (name := LEFTOVER.fullmatch(leftover.name)) and int(name[1]) in own:
            leftover.unlink(missing_ok=True)
    missing = [shard for shard in own if not is_whole(plan, data, shard)]
    if missing:
        (data.parent / MANIFEST).unlink(missing_ok=True)  # the data set is not finished, or no more
        if len(missing) < len(own):
            remark(f"{len(own) - len(missing)} of {len(own)} shards are there already")
        with progress(sum(len(plan.samples(shard)) for shard in missing), "images") as bar:
            if ray:
                from data_gen.ray_runner import write_shards

                write_shards(plan, data, missing, bar.update)
            else:
                pool.write_shards(plan, data, missing, bar.update)
    if part:
        there = sum(is_whole(plan, data, shard) for shard in range(plan.shards))
        remark(f"{there} of {plan.shards} shards are in {data}; with all of them, run this once more without --shard")


def _finish(plan: Plan, out: Path, export: Sequence[str]) -> Summary:
    """Everything but the shards, from the shards; the manifest last."""
    shards = [out / DATA / plan.shard_name(shard) for shard in range(plan.shards)]
    summary = summarize(shards)
    write_contact_sheet(out / "contact_sheet.png", shards, plan)
    for name in export:
        EXPORTS[name](shards, out / name)
    normals = plan.normals if isinstance(plan.normals, PhotoFolder) else None
    write_data_card(out / CARD, plan, summary, normals)
    files = [{"name": f"{DATA}/{path.name}", "bytes": path.stat().st_size, "sha256": _sha256(path)} for path in shards]
    manifest = {
        "generator": f"anomaly-assistant {__version__}", "fingerprint": plan.fingerprint, "settings": plan.settings,
        "samples": plan.recipe.count, "files": files, "skipped": dict(normals.bad) if normals else {},
    }  # fmt: skip
    write_file(out / MANIFEST, json.dumps(manifest, indent=1) + "\n")
    shutil.rmtree(out / STORE, ignore_errors=True)  # the shards hold what is needed of it
    return summary


def _cores() -> int:
    """The cores that this process may use, where the system tells."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _sha256(path: Path) -> str:
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
