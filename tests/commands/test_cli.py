"""The command line: bad input is one clear line and exit code 2, before any training starts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from sslbench.commands.app import app

ROOT = Path(__file__).parents[2]


def invoke(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    """Exit code and everything printed of `sslbench ARGUMENTS`, its stores below tmp_path."""
    places = ["--home", str(tmp_path / "home"), "--data-root", str(tmp_path / "data")]
    result = CliRunner().invoke(app, [*arguments, *places, "--results", str(tmp_path / "results")])
    return result.exit_code, result.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--pretext", "simclrr"), "unknown pretext 'simclrr'; choose one of majority_class, "),
        (("--fraction", "0"), "label_fractions must be greater than 0, not 0.0"),
        (("--fraction", "1.5"), "label_fractions must be less than or equal to 1, not 1.5"),
        (("--latent-dim", "0"), "latent_dims must be greater than or equal to 1, not 0"),
        (("--dataset", "minst"), "unknown dataset 'minst'; choose one of fashion_mnist, "),
        (("--dataset", "folder:/no/such/place"), "/no/such/place"),
        (("--device", "tpu"), "unknown device 'tpu'; choose one of auto, cpu, cuda"),
        (("--workers", "many"), "--workers 'many' is neither a number of processes (1 to 9999) nor 'auto'"),
        (("--workers", "0"), "--workers '0' is neither"),
        (("--tracking-uri", "nonsense"), "--tracking-uri 'nonsense' is not an address"),
        (("--tracking-uri", "sqlite:////dev/null/x.db"), "/dev/null"),
        (("--storage", "redis://localhost"), "--storage 'redis://localhost' is not an address"),
    ],
)
def test_bad_input_is_one_line_and_exit_code_2(
    tmp_path: Path, suite_file: Path, arguments: tuple[str, ...], message: str
) -> None:
    code, output = invoke(tmp_path, "run", str(suite_file), *arguments)
    assert code == 2
    assert message in output
    assert [line for line in output.splitlines() if not line.startswith("preparing ")][1:] == []
    assert "Traceback" not in output


def test_an_unknown_suite_lists_the_suites(tmp_path: Path) -> None:
    code, output = invoke(tmp_path, "run", "quik")
    assert code == 2
    assert "unknown suite 'quik'; choose one of" in output
    assert "quick" in output


def test_a_suite_file_that_does_not_run_is_named(tmp_path: Path) -> None:
    broken = tmp_path / "broken.py"
    broken.write_text("SUITE = undefined_name\n")
    code, output = invoke(tmp_path, "run", str(broken))
    assert code == 2
    assert "broken.py does not run: NameError" in output


def test_a_misspelt_setting_lists_the_fields(tmp_path: Path, suite_file: Path) -> None:
    suite_file.write_text(suite_file.read_text().replace('{"finetune": {"min_steps"', '{"finetune": {"min_stepz"'))
    code, output = invoke(tmp_path, "run", str(suite_file))
    assert code == 2
    assert "unknown setting 'min_stepz' of protocol 'finetune'; choose one of" in output


def test_a_home_that_is_a_file_is_named(tmp_path: Path, suite_file: Path) -> None:
    (tmp_path / "home").write_text("not a folder")
    code, output = invoke(tmp_path, "run", str(suite_file))
    assert code == 2
    assert "home" in output
    assert "cannot be written" in output


def test_a_data_root_that_is_a_file_is_named(tmp_path: Path, suite_file: Path) -> None:
    (tmp_path / "data").write_text("not a folder")
    suite_file.write_text(suite_file.read_text().replace('("digits",)', '("kmnist",)'))
    code, output = invoke(tmp_path, "run", str(suite_file))
    assert code == 2
    assert "data" in output
    assert "cannot be written" in output


def test_an_unreadable_image_in_a_folder_is_named(tmp_path: Path, suite_file: Path) -> None:
    for kind in ("cats", "dogs"):
        (tmp_path / "pets" / kind).mkdir(parents=True)
        for number in range(3):
            (tmp_path / "pets" / kind / f"{number}.png").write_bytes(b"no image")
    code, output = invoke(tmp_path, "run", str(suite_file), "--dataset", f"folder:{tmp_path / 'pets'}")
    assert code == 2
    assert "0.png" in output


def test_a_dry_run_counts_cells_and_runs_and_writes_nothing(tmp_path: Path, suite_file: Path) -> None:
    code, output = invoke(tmp_path, "run", str(suite_file), "--dry-run", "--pretext", "rotation", "--seed", "0")
    assert code == 0
    assert "linear_probe on digits, by label fraction\n" in output
    assert "missing everything\n" in output
    assert "0 of 1 pretrainings and 0 of 6 evaluations done" in output
    assert not (tmp_path / "results").exists()
    assert not (tmp_path / "home").exists()


def test_a_selection_beyond_the_suite_says_so(tmp_path: Path, suite_file: Path) -> None:
    beyond = ("--pretext", "rotation", "--pretext", "simsiam", "--fraction", "0.05", "--fraction", "0.3", "--seed", "7")
    code, output = invoke(tmp_path, "run", str(suite_file), "--dry-run", *beyond)
    assert code == 0
    said = "not in suite 'small' itself, so not in its tables: pretext simsiam, label fraction 0.3, seed 7\n"
    assert said in output
    code, output = invoke(tmp_path, "run", str(suite_file), "--dry-run", "--pretext", "rotation")
    assert "not in suite" not in output


def test_no_number_of_threads_is_named(tmp_path: Path, suite_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "many")
    code, output = invoke(tmp_path, "run", str(suite_file), "--dry-run")
    assert code == 2
    assert "OMP_NUM_THREADS 'many' is no number of threads (1 to 9999); change or unset it" in output


def test_tables_that_cannot_be_read_are_in_nobodys_way(tmp_path: Path, suite_file: Path) -> None:
    for suite in ("small", "other"):
        (tmp_path / "results" / suite).mkdir(parents=True)
        (tmp_path / "results" / suite / "records.csv").write_bytes(b"caf\xe9")
    code, output = invoke(
        tmp_path, "run", str(suite_file), "--dry-run", "--pretext", "rotation", "--results", str(tmp_path / "results")
    )
    assert code == 0, output
    assert "time unknown until similar cells have run" in output


def test_a_dry_run_imports_no_mlflow_and_a_second_one_loads_no_data(tmp_path: Path, suite_file: Path) -> None:
    places = ["--home", str(tmp_path / "home"), "--data-root", str(tmp_path / "data"), "--results", str(tmp_path)]
    arguments = ["run", str(suite_file), "--dry-run", *places]
    program = (
        "import sys; from sslbench.commands.app import app\n"
        f"try: app({arguments!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "print(sorted({'mlflow', 'optuna', 'sklearn'} & set(sys.modules)))\n"
    )
    printed = [
        subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT).stdout
        for _ in range(2)
    ]
    first, second = ([line for line in text.splitlines() if not line.endswith(" …")] for text in printed)
    assert first[-1] == "['sklearn']"  # where these digits come from
    assert second[-1] == "[]"
    assert first[:-1] == second[:-1]


def test_reporting_before_running_says_so(tmp_path: Path, suite_file: Path) -> None:
    code, output = invoke(tmp_path, "report", str(suite_file))
    assert code == 2
    assert "no finished runs of suite 'small'" in output


def test_listing_names_every_plug_in_with_a_sentence() -> None:
    result = CliRunner().invoke(app, ["list"])
    assert result.exit_code == 0
    for name in ("fashion_mnist", "folder:PATH", "conv", "simclr", "linear_probe", "quick"):
        assert name in result.output


def test_a_list_goes_modality_after_modality() -> None:
    for kind in ("datasets", "encoders", "pretexts", "suites"):
        told = [line.strip() for line in CliRunner().invoke(app, ["list", kind]).output.splitlines()]
        titles = [f"{kind} of {room}" for room in ("images", "series", "text")]
        assert [line for line in told if line in titles] == titles


@pytest.mark.parametrize("arguments", [["list"], ["list", "pretexts"]])
def test_the_short_way_to_a_list_shows_what_the_parsers_way_shows(arguments: list[str]) -> None:
    short = subprocess.run([sys.executable, "-m", "sslbench", *arguments], capture_output=True, text=True, cwd=ROOT)
    program = f"from sslbench.commands.app import app; app({arguments!r})"
    parsed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert short.returncode == parsed.returncode == 0
    assert short.stdout == parsed.stdout != ""


def test_an_unknown_kind_to_list_names_the_kinds() -> None:
    result = CliRunner().invoke(app, ["list", "modles"])
    assert result.exit_code == 2
    assert "choose one of datasets, encoders, pretexts, protocols, suites" in result.output


@pytest.mark.parametrize("arguments", [("--help",), ("list",), ("run", "--help")])
def test_help_and_list_import_neither_torch_nor_mlflow(arguments: tuple[str, ...]) -> None:
    program = (
        "import sys; from sslbench.commands.app import app\n"
        f"try: app({list(arguments)!r})\n"
        "except SystemExit as end: assert not end.code, end.code\n"
        "heavy = {'torch', 'mlflow', 'optuna', 'pandas'} & set(sys.modules)\n"
        "sys.exit(f'imported {heavy}' if heavy else 0)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr


def test_a_plain_list_loads_no_schema() -> None:
    program = (
        "import sys; sys.argv[1:] = ['list']\n"
        "from sslbench.__main__ import start; start()\n"
        "sys.exit('pydantic' in sys.modules)\n"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr
