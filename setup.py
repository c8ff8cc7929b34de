"""Suites and published numbers ship inside the package; all else is in pyproject.toml."""

from setuptools import find_packages, setup

setup(
    packages=[*find_packages(include=["sslbench*"]), "sslbench.benchmarks", "sslbench.results"],
    package_dir={"sslbench.benchmarks": "benchmarks", "sslbench.results": "results"},
)
