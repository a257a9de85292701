# mer_keras with the locked dependencies. `--build-arg DEVICE=gpu` takes TensorFlow with CUDA's
# libraries; the host then needs the NVIDIA driver and container toolkit, and `--gpus all`.
FROM python:3.12-slim

ARG DEVICE=cpu
WORKDIR /opt/mer_keras

# The dependencies have a layer of their own, which a change of the code leaves as it is.
COPY requirements.lock ./
RUN python -m pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock
RUN if [ "$DEVICE" = gpu ]; then \
      version=$(python -c "from importlib.metadata import version; print(version('tensorflow-cpu'))") \
      && python -m pip uninstall --yes tensorflow-cpu \
      && python -m pip install --no-cache-dir "tensorflow[and-cuda]==$version"; \
    fi

COPY setup.cfg setup.py pyproject.toml README.md LICENSE ./
COPY mer_keras mer_keras
COPY experiments experiments
RUN python -m pip install --no-cache-dir --no-deps --no-build-isolation .

# Databases are read, runs and derived arrays are written, by a user without rights.
RUN useradd --create-home --uid 1000 researcher \
    && mkdir -p /data /results /cache \
    && chown researcher /results /cache
USER researcher
WORKDIR /work
ENV MER_DATA=/data MER_RESULTS=/results MER_CACHE=/cache
ENTRYPOINT ["mer-keras"]
CMD ["--help"]
