# Limber's image: web, worker and migrate are the same files with another command. The edge (nginx) is a target of its own.
FROM node:22-bookworm-slim AS frontend
WORKDIR /src
COPY package.json package-lock.json .npmrc ./
RUN npm ci --no-audit --no-fund
COPY frontend ./frontend
COPY templates ./templates
RUN npm run build

FROM python:3.13-slim-bookworm AS packages
WORKDIR /src
COPY requirements-uv.txt requirements.txt ./
RUN python -m venv /opt/limber \
 && /opt/limber/bin/pip install --no-cache-dir --require-hashes -r requirements-uv.txt \
 && VIRTUAL_ENV=/opt/limber /opt/limber/bin/uv pip install --no-cache --require-hashes -r requirements.txt
COPY . /opt/limber/src
COPY --from=frontend /src/static/dist /opt/limber/src/static/dist
RUN VIRTUAL_ENV=/opt/limber /opt/limber/bin/uv pip install --no-cache --no-deps --no-build-isolation -e /opt/limber/src

# nginx with Lua, so that it keeps answers about tokens in memory (docs/adr/0027-answers-in-memory.md).
FROM debian:bookworm-slim AS edge
RUN apt-get update \
 && apt-get install -y --no-install-recommends nginx-light libnginx-mod-http-lua curl \
 && rm -rf /var/lib/apt/lists/* /etc/nginx/sites-enabled/* \
 && ln -sf /dev/stdout /var/log/nginx/access.log
COPY deploy/nginx/nginx.conf /etc/nginx/nginx.conf
COPY deploy/nginx/entrypoint.sh /usr/local/bin/limber-edge
ENTRYPOINT ["limber-edge", "/etc/nginx"]
CMD ["nginx", "-g", "daemon off; pcre_jit on;"]

FROM python:3.13-slim-bookworm
RUN useradd --system --uid 10001 --create-home --home-dir /var/lib/limber limber \
 && install -d -o limber -g limber /var/lib/limber/data
COPY --from=packages /opt/limber /opt/limber
ENV PATH=/opt/limber/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    LIMBER_DATA_DIR=/var/lib/limber/data \
    LIMBER_HOST=0.0.0.0
USER limber
WORKDIR /opt/limber/src
EXPOSE 8000
VOLUME /var/lib/limber/data
CMD ["limber", "serve"]
