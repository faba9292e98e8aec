"""Run inside `unshare --mount` as root: a user manager of systemd with a /run of its own, and the installed unit in it.

`whole`: root's manager, which can do all that the machine's can; the drop-in for users is taken away again, so that
every line of hardening holds. `user`: the manager of a user without any privilege, the unit as installed.
Prints one JSON object of what was seen; the test judges it. Everything that was started is gone at the end.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
RUN = Path("/run/openbell-test")
IS_WHOLE = sys.argv[1:] == ["whole"]
NOBODY = 65534
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"
SYSTEM_PYTHON = f"/usr/bin/python{VERSION}"
# A unit has a /tmp of its own: a checkout there is shown to it elsewhere, as an installation of its own.
IS_HIDDEN = ROOT.is_relative_to("/tmp") or ROOT.is_relative_to("/var/tmp")
OPENBELL = Path(sys.executable).with_name("openbell") if IS_WHOLE and not IS_HIDDEN else RUN / "venv/bin/openbell"
RUNTIME = Path("/run/user/0" if IS_WHOLE else f"/run/user/{NOBODY}")
CGROUPS = [Path("/sys/fs/cgroup", name, "openbell-test") for name in ("systemd", "unified", ".")]
ENVIRON = {
    **{key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ},
    "HOME": f"{RUN / 'home'}",
    "XDG_RUNTIME_DIR": f"{RUNTIME}",
}
TIMES = "[Service]\nWatchdogSec=10\nTimeoutStartSec=120\nRestartSec=0\n"
# There is no user openbell here, this Python may lie in root's home, and this manager knows no credentials.
UNAVOIDABLE = "[Service]\nUser=\nGroup=\nProtectHome=read-only\nLoadCredentialEncrypted=\n"
SHOWN = ("ActiveState", "SubState", "Result", "NRestarts", "MainPID", "ExecMainStatus", "StatusText")


def main() -> None:
    own_run_folder()
    if OPENBELL.is_relative_to(RUN):
        own_installation()
    if not IS_WHOLE:
        become_nobody()
    manager = started("/lib/systemd/systemd", "--user", "--log-level=warning", "--log-target=console")
    gateway = started(
        OPENBELL, "gateway", "--synthetic", "--symbols", "SPY", "--port", "0", "--speed", "60", stdout=subprocess.PIPE
    )
    try:
        until((RUNTIME / "systemd" / "private").is_socket, 20)
        if IS_WHOLE:
            # The machine's own manager makes these at boot; what is hidden from a unit is covered with them.
            shutil.copytree(RUNTIME / "systemd/inaccessible", "/run/systemd/inaccessible", copy_function=copied_node)
        assert gateway.stdout is not None
        configured(gateway.stdout.readline().split("127.0.0.1:")[1].split()[0])
        sys.stdout.write(json.dumps(scenario()))
    finally:
        systemctl("exit")
        gateway.terminate()
        gateway.wait(20)
        manager.wait(30)


def scenario() -> dict[str, Any]:
    seen: dict[str, Any] = {"installed": openbell("service", "install", "--user", "--folder", RUN / "etc", "--yes")}
    drop_in = RUN / "home/.config/systemd/user/openbell.service.d/30-times.conf"
    drop_in.write_text(TIMES)
    if IS_WHOLE:
        drop_in.with_name("20-user.conf").write_text(UNAVOIDABLE)
    systemctl("daemon-reload")
    seen["start"] = systemctl("start", "openbell.service")
    seen["ready"] = {**shown(), "logged": logged_in_last_run()}
    pid = int(seen["ready"]["MainPID"])
    if pid:
        seen["confined"] = confinement(pid)
        os.kill(pid, signal.SIGSTOP)
        seen["hung_pid"] = pid
        until(lambda: shown()["NRestarts"] == "1" and shown()["ActiveState"] == "active", 45)
        seen["restarted"] = {**shown(), "logged": logged_in_last_run()}
    seen["uninstall_at_work"] = openbell("service", "uninstall", "--user", "--folder", RUN / "etc", "--yes")
    seen["stop"] = systemctl("stop", "openbell.service")
    seen["stopped"] = shown()
    config = RUN / "etc" / "config.toml"
    config.write_text(config.read_text().replace('mode = "paper"', 'mode = "papr"'))
    systemctl("start", "openbell.service")
    until(lambda: shown()["ActiveState"] == "failed", 20)
    seen["misconfigured"] = shown()
    until(
        lambda: not systemctl("list-units", "--no-legend", "--state=active,activating", "openbell-alert@*")["said"], 20
    )
    seen["alert"] = systemctl(
        "show", "openbell-alert@openbell.service.service", "-p", "ExecMainStartTimestampMonotonic"
    )
    config.write_text(config.read_text().replace('mode = "papr"', 'mode = "paper"'))
    seen["files"] = sorted(f"{path.relative_to(RUN / 'etc')}" for path in (RUN / "etc").rglob("*") if path.is_file())
    lines = [json.loads(line) for line in (RUN / "etc/logs/openbell-paper.jsonl").read_text().splitlines()]
    beats = [line for line in lines if line["event"] == "heartbeat"]
    seen["stamps"] = sorted({(line.get("run", ""), line.get("code", "")) for line in beats})
    seen["uninstalled"] = openbell("service", "uninstall", "--user", "--folder", RUN / "etc", "--yes")
    seen["units_left"] = [f"{path}" for path in drop_in.parent.parent.rglob("*") if path.is_file()]
    return seen


def own_run_folder() -> None:
    subprocess.run(["mount", "-t", "tmpfs", "tmpfs", "/run"], check=True)
    for folder in ("/run/systemd/system", RUNTIME, RUN / "etc", RUN / "home"):
        Path(folder).mkdir(parents=True)


def own_installation() -> None:
    """Openbell in RUN: this checkout and its packages, under names that a unit may see."""
    checkout, packages = RUN / "checkout", Path(next(path for path in sys.path if path.endswith("site-packages")))
    checkout.mkdir()
    ran("mount", "--bind", ROOT, checkout)
    if packages.is_relative_to(ROOT):
        packages = checkout / packages.relative_to(ROOT)
    python = f"{sys.base_prefix}/bin/python{VERSION}" if IS_WHOLE else SYSTEM_PYTHON
    ran(python, "-m", "venv", "--without-pip", RUN / "venv")
    site = RUN / f"venv/lib/python{VERSION}/site-packages/openbell.pth"
    site.write_text(f"{packages}\n{checkout}\n")
    OPENBELL.write_text(f"#!{RUN}/venv/bin/python\nimport sys, openbell\nsys.exit(openbell.main())\n")
    OPENBELL.chmod(0o755)


def become_nobody() -> None:
    """A user of nobody's with a home and a cgroup that he may divide, as logind gives him."""
    for group in CGROUPS:
        if (group.parent / "cgroup.procs").is_file():
            group.mkdir(exist_ok=True)
            (group / "cgroup.procs").write_text(f"{os.getpid()}")
            for path in (group, *group.iterdir()):
                os.chown(path, NOBODY, NOBODY)
    for folder in (RUNTIME, RUN / "etc", RUN / "home"):
        os.chown(folder, NOBODY, NOBODY)
    os.setgroups([])
    os.setgid(NOBODY)
    os.setuid(NOBODY)


def configured(port: str) -> None:
    text = (ROOT / "config.toml").read_text().replace("port = 4010", f"port = {port}")
    text = text.replace("heartbeat_every_s = 10 ", "heartbeat_every_s = 1 ").replace("top = 3", "top = 1")
    symbols, end = text.index('symbols = ["SPY",'), text.index("]", text.index('symbols = ["SPY",'))
    (RUN / "etc" / "config.toml").write_text(f'{text[:symbols]}symbols = ["SPY"{text[end:]}')


def confinement(pid: int) -> dict[str, Any]:
    status = Path(f"/proc/{pid}/status").read_text()
    facts = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    mounts = [line.split() for line in Path(f"/proc/{pid}/mountinfo").read_text().splitlines()]
    root = next(fields for fields in mounts if fields[4] == "/")
    return {
        **{key: facts[key] for key in ("NoNewPrivs", "Seccomp", "CapBnd", "CapEff")},
        "root_is_read_only": "ro" in root[5].split(","),
        "user_namespace_is_its_own": user_namespace(f"{pid}") != user_namespace("self"),
    }


def logged_in_last_run() -> list[str]:
    """The events that the newest run has logged by now, heartbeats too."""
    lines = [json.loads(line) for line in (RUN / "etc/logs/openbell-paper.jsonl").read_text().splitlines()]
    return [line["event"] for line in lines if line.get("run") == lines[-1].get("run")]


def user_namespace(process: str) -> str:
    return f"{Path('/proc', process, 'ns', 'user').readlink()}"


def shown() -> dict[str, Any]:
    properties = [part for name in SHOWN for part in ("-p", name)]
    said = systemctl("show", "openbell.service", *properties)["said"]
    return dict(line.split("=", 1) for line in said.splitlines())


def openbell(*arguments) -> dict[str, Any]:
    return ran(OPENBELL, *arguments)


def systemctl(*arguments) -> dict[str, Any]:
    return ran("systemctl", "--user", "--no-pager", *arguments)


def ran(*command) -> dict[str, Any]:
    ended = subprocess.run(
        [*map(str, command)],
        env=ENVIRON,
        cwd="/",
        text=True,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=120,
        check=False,
    )
    return {"code": ended.returncode, "said": ended.stdout}


def started(*command, **streams) -> subprocess.Popen[str]:
    return subprocess.Popen([*map(str, command)], env=ENVIRON, cwd="/", text=True, **streams)


def copied_node(source: str, target: str) -> None:
    subprocess.run(["cp", "-a", source, target], check=True)


def until(holds, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.1)


if __name__ == "__main__":
    main()
