"""`sslbench evaluate`: an encoder of one's own on label budgets."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from sslbench.commands.options import DataRoot, Device, Home, Plugin, plain_errors, say, terminal, warner
from sslbench.commands.patience import signs_of_life
from sslbench.contract.outside import load_plugins
from sslbench.stores.addresses import default_home

if TYPE_CHECKING:
    import pandas as pd
    from rich.console import Console

#: Published rows shown at every label fraction, the best first; training from scratch is always among them.
SHOWN = 3


def evaluate(
    dataset: Annotated[str, typer.Argument(help="What to evaluate on, e.g. fashion_mnist or folder:PATH.")],
    encoder: Annotated[
        str,
        typer.Option(
            help="my.safetensors with --architecture; or module:function or file.py:function, called without arguments "
            "(or with the unlabelled inputs, if it takes one) and returning a torch module or a function from a batch "
            "to features; or the id of an MLflow run."
        ),
    ],
    architecture: Annotated[str | None, typer.Option(help="Of a file of weights: conv, resnet18, …")] = None,
    latent_dim: Annotated[int, typer.Option(help="Of a file of weights.")] = 128,
    made_for: Annotated[
        str | None, typer.Option(help="Dataset whose inputs a file of weights was made for; default the evaluated one.")
    ] = None,
    fraction: Annotated[
        list[float] | None, typer.Option(help="Share of the labels, e.g. 0.01; may be repeated; default 0.01, 0.1, 1.")
    ] = None,
    per_class: Annotated[list[int] | None, typer.Option(help="Labels of every class; may be repeated.")] = None,
    stratified: Annotated[
        bool,
        typer.Option(
            "--stratified/--unstratified", help="Of each class its share, or inputs drawn without looking at a label."
        ),
    ] = True,
    protocol: Annotated[
        list[str] | None, typer.Option(help="linear_probe, knn or finetune; may be repeated; default linear_probe.")
    ] = None,
    reading: Annotated[list[str] | None, typer.Option(help="latent, pooled or map; may be repeated.")] = None,
    seeds: Annotated[int, typer.Option(min=1, help="How many labelled subsets, those of seeds 0, 1, …")] = 3,
    name: Annotated[str, typer.Option(help="What records call it.")] = "own",
    pretrain_dataset: Annotated[str, typer.Option(help="What it was trained on; empty for nothing.")] = "",
    pretrain_seconds: Annotated[float | None, typer.Option(help="What that took, as you measured it.")] = None,
    pretrain_samples: Annotated[
        int | None, typer.Option(help="Inputs it saw in training, all epochs together.")
    ] = None,
    pretrain_flops: Annotated[float | None, typer.Option(help="Floating-point operations of its training.")] = None,
    against: Annotated[str | None, typer.Option(help="Published table to put beside it, e.g. fashion_mnist.")] = None,
    output: Annotated[Path | None, typer.Option(help="Write records there, e.g. to mine.csv.")] = None,
    log: Annotated[bool, typer.Option("--log", help="Log the evaluations to MLflow.")] = False,
    device: Device = "auto",
    home: Home = None,
    data_root: DataRoot = None,
    plugin: Plugin = None,
) -> None:
    """Score an encoder of your own by the rules that published tables are made by.

    Examples: sslbench evaluate fashion_mnist --encoder my.safetensors --architecture conv --against fashion_mnist |
    sslbench evaluate digits --encoder my_model.py:make_encoder --protocol knn --per-class 10 --output mine.csv
    """
    with plain_errors():
        with signs_of_life(terminal(), f"preparing {dataset}"):  # torch is imported here
            load_plugins(plugin or ())
            from sslbench.api.opening import open_encoder
            from sslbench.api.scoring import evaluate as score
            from sslbench.report.records import write_records

        budgets = fraction or (() if per_class else (0.01, 0.1, 1.0))
        opened = open_encoder(
            encoder,
            dataset,
            architecture=architecture,
            latent_dim=latent_dim,
            made_for=made_for,
            home=home,
            data_root=data_root,
        )
        warn = warner(terminal())
        with signs_of_life(terminal(), f"scoring on {dataset}"), warnings.catch_warnings():
            warnings.showwarning = lambda message, *_: warn(str(message))
            frame = score(
                opened,
                dataset,
                label_fractions=tuple(budgets),
                labels_per_class=tuple(per_class or ()),
                stratified=stratified,
                protocols=tuple(protocol or ("linear_probe",)),
                readings=tuple(reading or ("latent",)),
                seeds=range(seeds),
                name=name,
                pretrain_dataset=pretrain_dataset,
                pretrain_seconds=pretrain_seconds,
                pretrain_samples=pretrain_samples,
                pretrain_flops=pretrain_flops,
                device=device,
                data_root=data_root,
                home=(home or default_home()) if log else None,
            )
        _show(frame, terminal())
        if against is not None:
            _show_against(frame, against, terminal())
        if output is not None:
            say(terminal(), f"written: {write_records(frame, output)}")


def _show(frame: pd.DataFrame, console: Console) -> None:
    """Mean accuracy over labelled subsets, a line per protocol and a column per budget."""
    from rich.table import Table

    from sslbench.contract.spec import table_protocol
    from sslbench.report.statistics.spread import estimate
    from sslbench.report.words.numbers import percent

    scores = frame[(frame["metric"] == "accuracy") & (frame["split"] == "test")]
    count = scores["label_seed"].nunique()
    say(console, (f"test accuracy of {scores['pretext'].iloc[0]}, %", "italic"))
    table = Table(box=None)
    table.add_column("protocol")
    budgets = sorted(set(zip(scores["label_fraction"], scores["num_labels"], strict=True)))
    for share, labels in budgets:
        table.add_column(f"{percent(share)} ({labels:,})", justify="right")
    for (protocol, reading), group in scores.groupby(["protocol", "reading"], sort=False):
        cells = []
        for share, _ in budgets:
            found = estimate(100 * group.loc[group["label_fraction"] == share, "value"])
            cells.append(f"{found.mean:.1f}" + (f" ± {found.half_width:.1f}" if found.n > 1 else ""))
        table.add_row(table_protocol(str(protocol), str(reading)), *cells)
    console.print(table)
    many = f"± 95% interval over {count} labelled subsets of the one encoder; trainings of it would differ by more"
    say(console, (many if count > 1 else "one labelled subset, so no interval", "dim"))


def _show_against(frame: pd.DataFrame, published: str, console: Console) -> None:
    """Beside the best published rows by the table's primary protocol and training from scratch, on the same labels."""
    from rich.table import Table

    from sslbench.api.tables import compare_with_published, records_file
    from sslbench.report.attachments.files import read_primary
    from sslbench.report.words.numbers import p_value, percent

    primary = read_primary(records_file(published).parent)
    found = compare_with_published(frame, published)
    chosen = found[(found["pretext"] == "supervised") | (found["protocol"] == (primary or found["protocol"]))]
    for protocol, rows in chosen.groupby("own_protocol", sort=False):
        say(console, (f"{protocol} beside {published}, on the same labels", "italic"))
        table = Table(box=None)
        for heading in ("labels", "own", "published row", "", "difference [95%]", "p (Holm)"):
            table.add_column(heading, no_wrap=True)
        for _, group in rows.groupby("label_fraction"):
            best = group[group["pretext"] != "supervised"].head(SHOWN).index
            for row in group[group.index.isin(best) | (group["pretext"] == "supervised")].to_dict("records"):
                table.add_row(
                    percent(row["label_fraction"]),
                    f"{100 * row['own_accuracy']:.1f}",
                    f"{row['pretext']} ({row['protocol']})",
                    f"{100 * row['accuracy']:.1f}",
                    f"{100 * row['difference']:+.1f} [{100 * row['low']:.1f}, {100 * row['high']:.1f}]",
                    p_value(row["p_holm"]),
                )
        console.print(table)
    alone = sorted(set(frame["label_fraction"]) - set(found["label_fraction"]))
    if alone:
        say(console, f"no published row has {', '.join(map(percent, alone))} of the labels, drawn the same way")
