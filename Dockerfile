# One image for every role: docker run --env-file .env IMAGE serve --role web (or worker, all, or doctor)
# The embedded PostgreSQL is for trying out; in a container name your own by DATABASE_URL.
FROM python:3.13-slim AS build
WORKDIR /app
COPY requirements.lock .
RUN python -m venv /app/.venv \
    && /app/.venv/bin/pip install --no-cache-dir --no-deps --require-hashes -r requirements.lock

FROM python:3.13-slim
RUN useradd --system --uid 10001 --create-home countersign
WORKDIR /app
COPY --from=build /app/.venv .venv
COPY manifest.yml policy.yaml alembic.ini ./
COPY storage storage
COPY connectors connectors
COPY approvals approvals
COPY bot bot
ENV PATH=/app/.venv/bin:$PATH PYTHONPATH=/app PYTHONUNBUFFERED=1 COUNTERSIGN_HOST=0.0.0.0
USER countersign
EXPOSE 8080
HEALTHCHECK --interval=30s --timeout=3s \
    CMD ["python", "-c", "import urllib.request as u; u.urlopen('http://127.0.0.1:8080/healthz', timeout=2)"]
ENTRYPOINT ["python", "-m", "bot.cli"]
CMD ["serve"]
