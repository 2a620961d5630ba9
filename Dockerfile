# One image for every command of this project; docker-compose.yml names those that run, and how
# their health is checked.

FROM python:3.13.11-slim-bookworm AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /src
COPY pyproject.toml .constraints.txt README.md ./
COPY tasks tasks
COPY workers workers
# No version is left to the day of the build, the build's own tool included.
RUN pip install -c .constraints.txt hatchling==1.27.0 \
 && pip wheel --no-deps --no-build-isolation --wheel-dir wheels .
# What runs has no pip.
RUN python -m venv --without-pip /opt/venv \
 && pip --python /opt/venv/bin/python install -c .constraints.txt "$(echo wheels/*.whl)[flower,otel]"

FROM python:3.13.11-slim-bookworm
# What a volume is mounted on gives it its owner.
RUN pip uninstall --yes --root-user-action=ignore pip \
 && groupadd --system --gid 10001 worker \
 && useradd --system --uid 10001 --gid worker --home-dir /srv --no-create-home worker \
 && install --directory --owner=worker --group=worker --mode=700 /var/lib/genesys-workers
COPY --from=build /opt/venv /opt/venv
ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1
WORKDIR /srv
# As numbers, so that it can be seen from outside that it is not root.
USER 10001:10001
# Exec form: TERM reaches the process itself, which then finishes what it has begun.
ENTRYPOINT ["genesys-workers"]
CMD ["worker"]
