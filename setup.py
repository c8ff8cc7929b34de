"""The suites of `benchmarks/` ship inside the package; all else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["sslbench*"]), "sslbench.benchmarks"],
    package_dir={"sslbench.benchmarks": "benchmarks"},
)
