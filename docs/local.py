"""What `make up` starts on the laptop: the engine and its providers, the daemon, and the daemon's children."""

from docs.drawing import Box, arrow, panel, svg, text

BOX_WIDTH = 240
LEFT, MIDDLE, RIGHT = 60, 420, 780


def draw() -> str:
    return svg(
        "The laptop's clouds: make, the engine, its providers, the daemon and its children",
        772,
        panel(30, 18, 1020, 244, "The command", "ends when the stacks are up · .venv", "ink"),
        panel(30, 302, 1020, 452, "The daemon", "outlives the command · local/cloud · app/.venv", "ink"),
        *arrows(),
        *(box.draw() for box in boxes()),
        text(540, 736, "dashed: child processes, which end with the daemon", 12, "muted"),
    )


def boxes() -> list[Box]:
    return [
        box(LEFT, 68, "make up", "Makefile", "muted"),
        box(MIDDLE, 68, "python -m local", "local/cli, with Pulumi's Automation API", "muted"),
        box(RIGHT, 68, "pulumi", "the real engine, state in .local", "shared"),
        box(LEFT, 176, "Provider aws", "in python -m local, also calls moto", "aws"),
        box(MIDDLE, 176, "Provider gcp", "in python -m local", "gcp"),
        box(RIGHT, 176, "pulumi-resource-momento", "the real plugin, calls Momento", "shared"),
        box(LEFT, 352, "API Gateway and Lambda", "http://127.0.0.1:8081", "aws"),
        box(MIDDLE, 352, "Control API", "local/cloud/daemon", "muted"),
        box(RIGHT, 352, "Cloud Run", "http://127.0.0.1:8082", "gcp"),
        box(LEFT, 460, "Lambda environments", "AWS's own runtime client", "aws", dashed=True),
        box(MIDDLE, 460, "Issuer", "signs tokens, for AUTH=laptop", "muted"),
        box(RIGHT, 460, "gunicorn", "one for each instance", "gcp", dashed=True),
        Box(LEFT, 554, "Fault proxies", "down, slow, held, throttled or halved", "muted", width=960),
        box(LEFT, 648, "moto", "DynamoDB, SSM, S3, IAM", "aws"),
        box(MIDDLE, 648, "Momento", "gRPC server", "shared"),
        box(RIGHT, 648, "Firestore", "Google's emulator, else a gRPC server", "gcp", dashed=True),
    ]


def box(x: int, y: int, title: str, note: str, color: str, dashed: bool = False) -> Box:
    return Box(x, y, title, note, color, BOX_WIDTH, dashed)


def arrows() -> list[str]:
    return [
        arrow((300, 99), (418, 99)),
        arrow((660, 99), (778, 99)),
        arrow((900, 130), (900, 174)),
        arrow((900, 152), (540, 152), (540, 174)),
        arrow((540, 152), (180, 152), (180, 174)),
        arrow((180, 238), (180, 282), (510, 282), (510, 350)),
        arrow((540, 238), (540, 350)),
        arrow((420, 383), (302, 383)),
        arrow((660, 383), (778, 383)),
        arrow((180, 414), (180, 458)),
        arrow((900, 414), (900, 458)),
        arrow((300, 491), (418, 491)),
        arrow((780, 491), (662, 491)),
        arrow((180, 522), (180, 552)),
        arrow((900, 522), (900, 552)),
        arrow((180, 616), (180, 646)),
        arrow((540, 616), (540, 646)),
        arrow((900, 616), (900, 646)),
    ]
