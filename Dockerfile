# sslbench on the CPU: docker build --tag sslbench . && docker run --volume sslbench:/data sslbench
FROM python:3.11-slim

WORKDIR /opt/sslbench
COPY requirements.lock ./
# torch without CUDA, at the pinned version: a tenth of the size.
RUN pip install --no-cache-dir --constraint requirements.lock --extra-index-url https://download.pytorch.org/whl/cpu \
    torch torchvision

COPY pyproject.toml setup.py README.md LICENSE ./
COPY sslbench sslbench
COPY benchmarks benchmarks
COPY results results
RUN pip install --no-cache-dir --constraint requirements.lock '.[cluster,s3]'

# Datasets and runs stay in the volume; a second run does only what is missing.
ENV SSLBENCH_DATA=/data/datasets SSLBENCH_HOME=/data/runs
RUN useradd --create-home bench && install --directory --owner bench /data
USER bench
WORKDIR /data
VOLUME /data

ENTRYPOINT ["sslbench"]
CMD ["run", "quick"]
