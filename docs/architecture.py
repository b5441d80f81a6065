"""Both stacks, from the client to the stores."""

from docs.drawing import Box, arrow, panel, svg, text


def draw() -> str:
    return svg(
        "One Flask app on AWS and Google Cloud",
        550,
        panel(30, 96, 330, 432, "AWS", "pulumi up -s aws", "aws"),
        panel(720, 96, 330, 432, "Google Cloud", "pulumi up -s gcp", "gcp"),
        *arrows(),
        *(box.draw() for box in boxes()),
    )


def boxes() -> list[Box]:
    left, right, middle = 100, 790, 445
    return [
        Box(middle, 18, "Client", "sees the same API twice", "ink"),
        Box(left, 148, "API Gateway", "HTTP API, $default stage", "aws"),
        Box(left, 250, "Lambda", "version behind alias live", "aws"),
        Box(left, 434, "DynamoDB", "table, on demand, PITR", "aws"),
        Box(right, 148, "Cloud Run", "public URL", "gcp"),
        Box(right, 250, "Revision", "gunicorn on python313", "gcp"),
        Box(right, 434, "Firestore", "native mode database", "gcp"),
        Box(middle, 250, "One artifact", "Flask app, one sha256", "shared"),
        Box(middle, 434, "Momento Cache", "one for each stack", "shared"),
    ]


def arrows() -> list[str]:
    return [
        arrow((445, 49), (195, 49), (195, 146)),
        arrow((635, 49), (885, 49), (885, 146)),
        arrow((195, 210), (195, 248)),
        arrow((885, 210), (885, 248)),
        arrow((195, 312), (195, 432)),
        arrow((885, 312), (885, 432)),
        arrow((270, 312), (270, 376), (485, 376), (485, 432)),
        arrow((810, 312), (810, 376), (595, 376), (595, 432)),
        arrow((445, 281), (292, 281)),
        arrow((635, 281), (788, 281)),
        text(402, 271, "app.zip", 12, "muted"),
        text(678, 271, "app.tar.gz", 12, "muted"),
        text(186, 348, "DataClient", 12, "ink", anchor="end"),
        text(186, 366, "dynamodb.py", 12, "muted", anchor="end"),
        text(894, 348, "DataClient", 12, "ink", anchor="start"),
        text(894, 366, "firestore.py", 12, "muted", anchor="start"),
        text(540, 396, "Cache", 12, "ink"),
        text(540, 414, "momento.py", 12, "muted"),
    ]
