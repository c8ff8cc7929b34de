"""`python -m sslbench` is `sslbench`."""

from sslbench.cli import app

if __name__ == "__main__":
    app(prog_name="sslbench")
