"""The command line. Heavy imports wait inside the handlers, so that `--help` answers at once.

Results go to stdout (with `--json` one object per line), everything else to stderr. Exit codes: 0 fine,
1 internal failure, 2 the user's input or set-up, 130 stopped with Ctrl-C, 141 the reader of our output left.
"""

import argparse
import contextlib
import errno
import io
import json
import logging
import os
import sys
import traceback
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from assistant import UserError, __version__
from assistant.cli_arguments import ARGUMENTS, EVALUATE_QA, GENERATE, TRAIN

if TYPE_CHECKING:
    from assistant.assistant import Assistant
    from assistant.conversation import Chat

PROGRAM = "anomaly-assistant"
# What the file system answers where the set-up, not this program, is at fault.
_SETUP_ERRORS = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOENT, errno.EADDRINUSE}


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Entry point of the script: run and leave with its exit code."""
    code = run(arguments)
    try:
        sys.stdout.flush()
    except OSError:  # told above; without this the interpreter would try, and complain, once more at its end
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Carry out one command and give its exit code; argparse itself leaves with 0 (help) or 2 (usage)."""
    for stream in (sys.stdout, sys.stderr):  # a file name that is not UTF-8 must not end a batch
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    warnings.filterwarnings("ignore", message="Image size", module="PIL")  # `images` has its own limit
    logging.getLogger("bitsandbytes").setLevel(logging.ERROR)  # it tells of a faster kernel that is nowhere needed
    os.environ.setdefault("TRANSFORMERS_VERBOSITY", "error")
    parser = _parser()
    options, rest = parser.parse_known_args(arguments)
    if rest:  # argparse gives up on key=value words behind an option
        if "overrides" not in options or any(word.startswith("-") for word in rest):
            parser.error(f"unrecognized arguments: {' '.join(rest)}")
        options.overrides += rest
    try:
        options.handler(options)
        sys.stdout.flush()  # here, where a closed pipe or a full disk can still be answered
        return 0
    except UserError as error:
        return _complain(error)
    except KeyboardInterrupt:
        print("stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:
        return 141  # as a shell tells of SIGPIPE: the reader wanted no more
    except Exception as error:  # the last door
        if isinstance(error, OSError) and error.errno in _SETUP_ERRORS:
            return _complain(f"{error.filename or 'the output'} cannot be used ({error.strerror})")
        traceback.print_exc()  # a fault of ours, told in full
        return 1


def _complain(error: UserError | str) -> int:
    """One line on stderr, whatever the message holds; gives the exit code for the user's input or set-up."""
    print(f"{PROGRAM}: error: {' '.join(str(error).split())}", file=sys.stderr, flush=True)
    return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog=PROGRAM, description="Inspect photos of parts and talk about what was found.")
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    commands = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    benchmarks = None
    for name, (handler, about, arguments) in _COMMANDS.items():
        group, _, kind = name.partition(" ")
        if kind and benchmarks is None:
            evaluate = commands.add_parser(group, help="measure a model on a benchmark")
            benchmarks = evaluate.add_subparsers(title="benchmarks", required=True, metavar="BENCHMARK")
        command = (benchmarks if benchmarks and kind else commands).add_parser(kind or group, help=about)
        command.set_defaults(handler=handler)
        for argument in arguments.split():
            command.add_argument(argument.rstrip("?,."), **ARGUMENTS[argument])
    return parser


def _load(model: str, *, language: bool = True) -> "Assistant":
    from assistant.assistant import Assistant

    return Assistant.from_pretrained(model, language=language)


def _inspect(options: argparse.Namespace) -> None:
    from tqdm import tqdm

    from assistant.images import load_image
    from assistant.report import describe, make_folder, output_stems, save_inspection

    stems = output_stems(options.images, make_folder(options.out)) if options.out else [None] * len(options.images)
    references = [load_image(path) for path in options.reference]  # once for the batch; a bad one stops it here
    assistant = _load(options.model, language=False)  # words are not needed, and cost most of the start-up
    failed = []
    # A bar with an estimate, unless the results themselves are seen to go by or nobody looks.
    quiet = len(options.images) == 1 or sys.stdout.isatty() or not sys.stderr.isatty()
    for image, stem in zip(tqdm(options.images, disable=quiet), stems, strict=True):
        try:
            inspection = assistant.inspect(image, references=references)
        except UserError as error:
            if len(options.images) == 1:
                raise
            _complain(error)
            failed.append(image)
            continue
        if stem is not None:  # not inside the try: a full disk ends the batch, a bad photo does not
            inspection = save_inspection(inspection, load_image(image), stem)
        print(json.dumps(inspection.to_json()) if options.json else describe(inspection), flush=True)
    if failed:
        raise UserError(f"{len(failed)} of {len(options.images)} images failed", ", ".join(failed))


def _ask(options: argparse.Namespace) -> None:
    from assistant.report import describe

    if not options.question.strip():
        raise UserError("the question is empty", "ask for instance 'Is there a defect, and where?'")
    chat = _load(options.model).start_chat(options.image, references=options.reference)
    if options.json:
        answer = chat.ask(options.question)
        print(json.dumps({"question": options.question, "answer": answer, "inspection": chat.inspection.to_json()}))
    else:
        _say(chat, options.question)
        print(f"\n{describe(chat.inspection)}")


def _say(chat: "Chat", question: str) -> None:
    for piece in chat.stream(question):
        print(piece, end="", flush=True)
    print()


def _chat(options: argparse.Namespace) -> None:
    from assistant.report import describe

    with contextlib.suppress(ImportError):
        import readline  # noqa: F401  (arrow keys and history in input())
    with contextlib.suppress(EOFError):  # Ctrl-D
        image = options.image or _prompt("path of a photo: ")
        chat = _load(options.model).start_chat(image, references=options.reference)
        print(f"{describe(chat.inspection)}\n\nCtrl-C stops an answer, Ctrl-D leaves.")
        while True:
            question = _prompt("> ")
            try:
                if question:
                    _say(chat, question)
            except KeyboardInterrupt:
                print(" (stopped)")
            except UserError as error:  # a question that cannot be answered does not end the talk
                _complain(error)


def _prompt(text: str) -> str:
    return input(text if sys.stdin.isatty() else "").strip()


def _serve(options: argparse.Namespace) -> None:
    from app import serve

    serve(model=options.model, host=options.host, port=options.port, auth=options.auth)


def _generate(options: argparse.Namespace) -> None:
    from data_gen.dataset import generate_dataset
    from data_gen.plan import Recipe

    recipe = Recipe(
        normals=options.normals, count=options.count, seed=options.seed, size=options.size, kinds=options.kinds,
        difficulty=options.difficulty, min_quality=options.min_quality, good_share=options.good_share,
        product=options.product, references=options.references, templates=options.templates,
    )  # fmt: skip
    summary = generate_dataset(
        recipe, options.out, workers=options.workers, part=options.shard, export=options.export, ray=options.ray
    )
    if summary:
        print(f"{options.out}: {summary.describe()}")


def _train(options: argparse.Namespace) -> None:
    from training import run as run_training
    from training.load_config import load_config

    limits = [f"{key}={value}" for key in ("max_minutes", "max_steps") if (value := getattr(options, key)) is not None]
    run_training(load_config(options.config, options.overrides + limits))


def _evaluate_detection(options: argparse.Namespace) -> None:
    settings = {"data": options.data, "shots": options.shots, "model": options.model, "out": options.out}
    if len(options.seed) == 1:
        from assistant.evaluation.detection import evaluate_detection

        report = evaluate_detection(seed=options.seed[0], **settings)
    else:
        from assistant.evaluation.seeds import evaluate_seeds

        report = evaluate_seeds(seeds=options.seed, **settings)
    if report:  # of several processes, one tells
        _print_metrics(options.out, "mean")


def _evaluate_qa(options: argparse.Namespace) -> None:
    from assistant.evaluation.qa import evaluate_qa

    settings = {name: getattr(options, name) for name in ("shots", "template", "seed", "knowledge")}
    report = evaluate_qa(
        questions=options.questions, images=options.images, model=options.model, out=options.out, plain=options.plain,
        endpoint=options.endpoint, ray=options.ray, settings=settings,
    )  # fmt: skip
    if report:  # of several processes, one tells
        _print_metrics(options.out, "overall")


def _compare(options: argparse.Namespace) -> None:
    from assistant.evaluation.compare import compare

    print(compare(options.a, options.b, options.out))


def _print_metrics(out: Path, section: str) -> None:
    values = json.loads((out / "metrics.json").read_text(encoding="utf-8"))[section]
    print(f"{out}: {json.dumps(values)}")


# The commands in the order of `--help`: handler, help, arguments.
_COMMANDS = {
    "inspect": (_inspect, "find defects on photos", "images --reference --model --out? --json"),
    "ask": (_ask, "ask one question about a photo", "image question --reference --model --json"),
    "chat": (_chat, "talk about a photo in the terminal", "image? --reference --model"),
    "serve": (_serve, "open the web page and its API", "--host --port --model --auth"),
    "generate": (_generate, "a data set of synthetic defects, with masks, facts and dialogues", GENERATE),
    "train": (_train, "run one training stage or the whole fine-tuning recipe", TRAIN),
    "evaluate detection": (_evaluate_detection, "on labelled photos", "--data --shots --seed, --model --out"),
    "evaluate qa": (_evaluate_qa, "on questions with known answers", EVALUATE_QA),
    "compare": (_compare, "two results of `evaluate`: do they differ by more than chance?", "a b --out."),
}
