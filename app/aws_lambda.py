"""The entry point on Lambda."""

from app.startup import uncollected

with uncollected():
    from snapshot_restore_py import (  # pyright: ignore[reportMissingTypeStubs]
        register_after_restore,
        register_before_snapshot,
    )

    from app.aws_handler import create_handler
    from app.bootstrap import create_app_from_environ

    app = create_app_from_environ()
    register_before_snapshot(app.before_snapshot)
    register_after_restore(app.after_restore)
    handler = create_handler(app)
