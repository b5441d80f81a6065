"""Google's Firestore emulator as a command of Java, and the archive of its loaded classes.

With the archive, Java does not parse and verify them again, which was most of the work of a start:
https://docs.oracle.com/en/java/javase/17/docs/specs/man/java.html#application-class-data-sharing
"""

import hashlib
import shutil
from pathlib import Path

from local.cloud.common.cache import CACHE

JAR = "platform/cloud-firestore-emulator/cloud-firestore-emulator.jar"
# The quick compiler and the simple collector start with half the work of the others, which pay off in longer runs.
JAVA = ["java", "-XX:TieredStopAtLevel=1", "-XX:+UseSerialGC"]
CHECKED = "-XX:+VerifySharedSpaces"  # Java ignores another's archive by itself, but a damaged one would crash it
MAIN_CLASS = "com.google.cloud.datastore.emulator.firestore.CloudFirestore"


def emulator_jar() -> Path | None:
    """The jar in the SDK of the `gcloud` on PATH, or in the folder of its Debian package; None without Java."""
    if not shutil.which("java"):
        return None
    gcloud = shutil.which("gcloud")
    sdks = ([Path(gcloud).resolve().parents[1]] if gcloud else []) + [Path("/usr/lib/google-cloud-sdk")]
    return next((sdk / JAR for sdk in sdks if (sdk / JAR).exists()), None)


def is_one_java() -> bool:
    """Whether `java` on PATH is a Java, and not a version manager's launcher, which runs one here and another there."""
    java = shutil.which("java")
    return java is not None and (Path(java).resolve().parents[1] / "release").exists()


def class_archive(jar: Path) -> Path:
    """The archive for this jar and the `java` on PATH, in a folder of its own in the cache. It need not exist."""
    java = Path(shutil.which("java") or "java").resolve()
    facts = [(str(file), file.stat().st_size, file.stat().st_mtime_ns) for file in (java, jar)]
    return CACHE / f"firestore-emulator-{hashlib.sha256(repr(facts).encode()).hexdigest()[:12]}" / "classes.jsa"


def emulator_command(jar: Path, address: str, new_archive: Path | None = None) -> list[str]:
    """Runs the emulator on `address`, `host:port`, from its archive if there is one, or to make `new_archive`."""
    archive = class_archive(jar)
    options: list[str] = []
    if new_archive:
        options = [CHECKED, f"-XX:ArchiveClassesAtExit={new_archive}"]
    elif archive.exists() and ":" not in str(archive):  # Java takes a colon for the end of a path
        options = [CHECKED, f"-XX:SharedArchiveFile={archive}"]
    host, _, port = address.partition(":")
    return [*JAVA, *options, "-Duser.language=en", "-cp", str(jar), MAIN_CLASS, "--host", host, "--port", port]
