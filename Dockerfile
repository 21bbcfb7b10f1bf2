# The product's image: one for web, worker, beat and migrate. docker-compose.yml says what each of them runs.

FROM python:3.11-slim AS build
WORKDIR /app
RUN python -m venv /venv
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1
# The lock first: code changes more often, and this layer is then kept.
COPY requirements/runtime.txt requirements/runtime.txt
RUN pip install --no-cache-dir --disable-pip-version-check --only-binary :all: --require-hashes --no-deps -r requirements/runtime.txt
COPY . .
# Names and packs the static files as an installation on servers serves them. The addresses only choose that way of
# running: nothing connects to them here, and the key stays out of the image.
RUN SECRET_KEY="$(python -c 'import secrets; print(secrets.token_urlsafe(60))')" \
    DATABASE_URL=postgres://build@127.0.0.1:5432/build REDIS_URL=redis://127.0.0.1:6379/0 HENGKE_DATA_DIR=/tmp/build \
    python manage.py collectstatic --noinput --verbosity 0
RUN python -m compileall -q crm grading

FROM python:3.11-slim
RUN useradd --system --create-home --uid 10001 hengke && install -d -o hengke -g hengke /data
COPY --from=build /venv /venv
COPY --from=build /app /app
WORKDIR /app
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 HENGKE_DATA_DIR=/data
USER hengke
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s --retries=3 CMD ["python", "deploy/healthcheck.py", "/healthz"]
CMD ["gunicorn", "--config", "deploy/gunicorn.conf.py", "crm.wsgi:application"]
