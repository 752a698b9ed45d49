FROM python:3.11-slim

# The index that torch comes from: the CPU build by default; empty chooses pip's own, which has the CUDA build (2.7 GB).
ARG TORCH_INDEX=https://download.pytorch.org/whl/cpu
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PYTHONUNBUFFERED=1

RUN useradd --create-home --uid 10001 thinice && install -d -m 0700 -o thinice -g thinice /data
WORKDIR /app

# Dependencies before code, so that a change of code installs nothing again.
COPY pyproject.toml constraints.txt README.md LICENSE ./
RUN pip install --no-deps -c constraints.txt ${TORCH_INDEX:+--index-url "$TORCH_INDEX"} torch \
    && python -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" \
    > requirements.txt \
    && pip install -c constraints.txt -r requirements.txt

COPY backend backend
COPY frontend frontend
COPY models models
RUN pip install --no-deps -e .

USER thinice
ENV THINICE_HOME=/data THINICE_HOST=0.0.0.0 THINICE_PORT=8000
VOLUME /data
EXPOSE 8000
# Web and workers in one container; docker-compose.yml runs them apart. Other machines reach it: THINICE_TOKEN is needed.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s --retries=3 CMD ["python", "-c", "import os, urllib.request as web; \
web.urlopen(web.Request('http://127.0.0.1:8000/api/v1/health', headers={'Authorization': 'Bearer ' + os.environ['THINICE_TOKEN']}), timeout=4)"]
CMD ["python", "-m", "backend.supervisor"]
