"""`sslbench register`: an encoder under a name of one's own in MLflow's registry."""

from __future__ import annotations

from typing import Annotated

import typer

from sslbench.commands.options import Home, TrackingUri, plain_errors, say, terminal
from sslbench.stores.addresses import locate
from sslbench.stores.moved import follow_artifacts
from sslbench.stores.urls import shown


def register(
    suite: Annotated[str, typer.Argument(help="Name of a suite with runs.")],
    name: Annotated[str, typer.Argument(help="What the registry is to call it; again: its next version.")],
    pretext: Annotated[str, typer.Option(help="Whose encoder.")],
    latent_dim: Annotated[int | None, typer.Option(help="Of this latent size, if there are several.")] = None,
    seed: Annotated[int, typer.Option(help="Of this seed.")] = 0,
    dataset: Annotated[str | None, typer.Option(help="Trained on this dataset, if there are several.")] = None,
    encoder: Annotated[str | None, typer.Option(help="Of this architecture, if there are several.")] = None,
    alias: Annotated[str | None, typer.Option(help="Alias of the new version, e.g. champion.")] = None,
    home: Home = None,
    tracking_uri: TrackingUri = None,
) -> None:
    """Name a pretrained encoder in MLflow's registry: `mlflow.pytorch.load_model("models:/NAME/1")` loads it.

    MLflow looks into the store of MLFLOW_TRACKING_URI, which is printed; unsaid, into a file of the current folder.

    Examples: sslbench register quick clothes --pretext vicreg --latent-dim 128 |
    sslbench register transfer digits --pretext simclr --dataset digits --alias champion
    """
    with plain_errors():
        stores = locate(home, tracking_uri)
        from sslbench.stores.experiments import check_runs
        from sslbench.stores.models import enter, find_model, open_client

        check_runs(stores)
        follow_artifacts(stores.tracking_uri, stores.artifact_root)

        client = open_client(stores)
        said = {"pretext": pretext, "latent_dim": latent_dim, "seed": seed, "dataset": dataset, "encoder": encoder}
        model = find_model(client, suite, {key: str(value) for key, value in said.items() if value is not None})
        version = enter(client, model, name, alias)
        say(terminal(), f"{model.name} is version {version} of {name}: models:/{name}/{version}")
        say(terminal(), f"where MLFLOW_TRACKING_URI={shown(stores.tracking_uri)}")
