# syntax=docker/dockerfile:1

FROM python:3.13-slim-bookworm AS build
WORKDIR /src
COPY requirements.lock ./
RUN python -m venv /opt/regui \
 && /opt/regui/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY pyproject.toml README.md LICENSE manage.py ./
COPY regui/ regui/
COPY templates/ templates/
COPY static/ static/
RUN /opt/regui/bin/pip wheel --no-deps --no-build-isolation --no-cache-dir -w /wheels . \
 && /opt/regui/bin/pip install --no-deps --no-cache-dir /wheels/*.whl

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --home-dir /data regui \
 && install -d -m 700 -o regui -g regui /data
COPY --from=build /opt/regui /opt/regui
ENV PATH=/opt/regui/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    REGUI_BIND=0.0.0.0:8000 \
    REGUI_DATA=/data
USER regui
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "from urllib.request import urlopen; urlopen('http://127.0.0.1:8000/readyz', timeout=4)"]
CMD ["regui"]
