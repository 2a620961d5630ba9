# One image for workers, the sandbox and Flower; docker-compose.yml names the command of each.

FROM python:3.13-slim AS build
WORKDIR /src
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1
RUN python -m venv /opt/venv
COPY pyproject.toml .constraints.txt README.md ./
COPY tasks tasks
COPY workers workers
RUN /opt/venv/bin/pip install -c .constraints.txt '.[flower]'

FROM python:3.13-slim
RUN useradd --system --uid 10001 --home-dir /srv --create-home worker
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
USER worker
# Exec form: TERM reaches the worker itself, which then finishes what it has begun.
ENTRYPOINT ["genesys-workers"]
CMD ["worker"]
