"""nginx in a folder of its own, with a certificate that is thrown away: started by us, used by nobody else."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

__all__ = ["NGINX", "make_certificate", "start_nginx"]

NGINX = shutil.which("nginx", path=os.pathsep.join([os.environ.get("PATH", os.defpath), "/usr/sbin", "/sbin"]))
"""Where it is, `None` if nowhere; Debian has it where only root looks."""

# Connections are kept for as long as a contender likes, and open files are remembered: what is to be measured is the
# client. `user` matters to root only, whose workers could not read a temporary folder otherwise.
_CONFIGURATION = """\
daemon off;
pid {folder}/pid;
error_log {folder}/error.log;
{user}
worker_processes auto;
worker_rlimit_nofile 20000;
events {{ worker_connections 8192; multi_accept on; }}
http {{
    access_log off;
    default_type application/octet-stream;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 10000000;
    keepalive_timeout 300s;
    open_file_cache max=15000 inactive=300s;
    open_file_cache_valid 300s;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    scgi_temp_path {folder}/scgi;
    uwsgi_temp_path {folder}/uwsgi;
    server {{
        {listen}
        server_name localhost;
        root {root};
        location /same/ {{ try_files /same/same =404; }}
        location = /requests {{ stub_status; }}
    }}
}}
"""


def make_certificate(folder: Path) -> Path | None:
    """Make a certificate for this machine's loopback address, and its key beside it; `None` without OpenSSL's program.

    Raises:
        subprocess.CalledProcessError: OpenSSL refused.
    """
    if shutil.which("openssl") is None:
        return None
    certificate = folder / "certificate.pem"
    names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"]
    key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-keyout", str(folder / "key.pem")]
    command = ["openssl", "req", "-x509", *key, "-out", str(certificate), "-days", "2", *names]
    subprocess.run(command, check=True, capture_output=True)
    return certificate


def start_nginx(
    folder: Path, root: Path, port: int, secure_port: int | None, hosts: int
) -> tuple[subprocess.Popen[bytes], str]:
    """Start it in the foreground; gives the process, and its name with its version.

    Args:
        folder: Empty but for what `make_certificate` made; everything of nginx's own goes there.
        root: The files.
        port: For http.
        secure_port: For https, `None` for none.
        hosts: Listen on so many addresses from 127.0.0.1 on.
    """
    assert NGINX is not None
    listen = [f"listen 127.0.0.{number}:{port} backlog=2048;" for number in range(1, hosts + 1)]
    if secure_port is not None:
        listen += [f"listen 127.0.0.1:{secure_port} ssl backlog=2048;", "ssl_session_cache shared:tls:4m;"]
        listen += [f"ssl_certificate {folder}/certificate.pem;", f"ssl_certificate_key {folder}/key.pem;"]
    user = "user root;" if os.geteuid() == 0 else ""
    text = _CONFIGURATION.format(folder=folder, user=user, listen=" ".join(listen), root=root)
    configuration = folder / "nginx.conf"
    configuration.write_text(text)
    told = subprocess.run([NGINX, "-v"], capture_output=True, text=True, check=True).stderr
    # Before it has read its configuration it writes to the log of the system, unless told otherwise.
    command = [NGINX, "-e", str(folder / "error.log"), "-p", str(folder), "-c", str(configuration)]
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return process, f"nginx {told.strip().rpartition('/')[2]}"
