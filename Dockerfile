# One image for MLflow's server, Optuna's dashboard, Dask's scheduler and workers, and for `mnist-bench` itself.

FROM python:3.11.14-slim-bookworm AS build
WORKDIR /src
RUN python -m venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
# The dependencies, without the sources: a layer that stays while the code changes.
COPY pyproject.toml constraints.txt README.md LICENSE ./
COPY mnist_bench/__init__.py mnist_bench/__init__.py
COPY experiments experiments
RUN pip install --constraint constraints.txt ".[cluster]"
COPY mnist_bench mnist_bench
RUN pip install --no-deps --force-reinstall .

FROM python:3.11.14-slim-bookworm
RUN useradd --uid 10001 --user-group --no-create-home --shell /usr/sbin/nologin bench \
    && install --directory --owner=bench --group=bench /srv/mlflow /work
COPY --from=build /opt/venv /opt/venv
COPY deploy/healthy.py deploy/dashboard.py /srv/
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1
USER 10001:10001
WORKDIR /work
CMD ["mnist-bench", "--help"]
