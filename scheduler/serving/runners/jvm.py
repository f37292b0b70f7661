"""The Java virtual machine inside this process: started once, for PMML4S, with the jars that pypmml brings."""

from __future__ import annotations

import importlib.util
import os
import threading
from pathlib import Path
from typing import Final

import jpype
import jpype.config

from scheduler.serving.faults import ModelRefusedError

HEAP_VARIABLE: Final = "MODELOPS_JVM_HEAP"
"""Environment variable with the heap's bound as Java writes it (`512m`); without it 60 % of the container's memory."""

_LOCK: Final = threading.Lock()


def start() -> None:
    """Have the JVM running; a second call changes nothing. It ends with the process.

    To be called by the main thread first: the JVM counts the thread that starts it as its own, and would wait for it
    at the end of the process for ever if it is gone by then.
    """
    with _LOCK:
        if jpype.isJVMStarted():
            return
        # the process's end is the JVM's: destroying it first crashed in native code when Python threads had used it
        jpype.config.destroy_jvm = False
        heap = os.environ.get(HEAP_VARIABLE, "")
        try:
            jpype.startJVM(
                f"-Xmx{heap}" if heap else "-XX:MaxRAMPercentage=60.0",
                "-XX:+UseSerialGC",  # one worker thread: the collectors with threads of their own cost memory only
                "-Xrs",  # signals stay Python's: SIGTERM drains the server
                "-Xss4m",  # deep trees are built by recursion
                "-Djava.awt.headless=true",
                classpath=[str(_jars() / "*")],
                convertStrings=False,
            )
        except (jpype.JVMNotFoundException, jpype.JVMNotSupportedException, OSError) as error:
            raise ModelRefusedError(f"there is no Java runtime for PMML: {error}") from error


def _jars() -> Path:
    """pypmml's jars; its Python code (a Py4J gateway in another process) is not used."""
    spec = importlib.util.find_spec("pypmml")
    if spec is None or not spec.submodule_search_locations:
        raise ModelRefusedError("pypmml, which brings PMML4S, is not installed")
    return Path(spec.submodule_search_locations[0]) / "jars"
