"""Records made by hand: what the tests of the report are written in."""

from __future__ import annotations

from sslbench.contract.spec import BASELINES, Record


def record(pretext: str, protocol: str, fraction: float, seed: int, value: float, latent_dim: int = 32) -> Record:
    encoder = "raw" if pretext in ("raw_pixels", "majority_class") else "conv"
    return Record(
        suite="made_up",
        cell_id=f"{pretext}-{latent_dim}-{protocol}-{fraction}-{seed}",
        run_id=f"run-{pretext}-{protocol}-{fraction}-{seed}",
        dataset="digits",
        pretrain_dataset="" if pretext in BASELINES else "digits",
        modality="image",
        encoder=encoder,
        pretext=pretext,
        latent_dim=784 if encoder == "raw" else latent_dim,
        seed=seed,
        label_seed=seed,
        label_fraction=fraction,
        num_labels=round(1000 * fraction),
        protocol=protocol,
        metric="accuracy",
        value=value,
        split="test",
        pretrain_seconds=10.0 + seed,
        pretrain_samples=5000,
        pretrain_flops=2.5e12,
        evaluate_seconds=0.5,
        evaluate_flops=1e10,
        parameters=97088,
        config_hash="0123456789012345",
        git_commit="",
        sslbench_version="0.1.0",
        device="cpu",
        started_at="2026-01-01T00:00:00Z",
    )


def probes(pretext: str, *values: float, fraction: float = 0.01, protocol: str = "linear_probe") -> list[Record]:
    return [record(pretext, protocol, fraction, seed, value) for seed, value in enumerate(values)]


def supervised(*values: float, fraction: float = 0.01) -> list[Record]:
    return probes("supervised", *values, fraction=fraction, protocol="finetune")
