"""What GitHub Actions gives a step, and comments on pull requests.

https://docs.github.com/en/actions/reference/workflows-and-actions/variables
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx

from ops.stack import UsageError, one_line

PAGE = 100  # comments, the most


def report(digest: str, summary: str) -> None:
    """Set the step's output `digest`, and add the Markdown to the job's summary; nothing outside of GitHub Actions."""
    for variable, text in (("GITHUB_OUTPUT", f"digest={digest}\n"), ("GITHUB_STEP_SUMMARY", f"{summary}\n")):
        if path := os.environ.get(variable):
            with Path(path).open("a") as file:
                file.write(text)


def put_comment(text: str, mark: str, head: str, commit: str) -> str:
    """Write the comment on the open pull request of the branch `head`, OWNER:BRANCH, or replace the one with that mark.

    Returns the comment's URL, or why there is none: the branch has no pull request any more, or a newer commit. Raises
    UsageError. https://docs.github.com/en/rest/issues/comments
    """
    try:
        token, repository = os.environ["GITHUB_TOKEN"], os.environ["GITHUB_REPOSITORY"]
    except KeyError as missing:
        raise UsageError(f"{missing.args[0]} is not in the environment: set it, as GitHub Actions does") from None
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}
    url = f"{os.environ.get('GITHUB_API_URL', 'https://api.github.com')}/repos/{repository}/"
    try:
        with httpx.Client(base_url=url, headers=headers, timeout=30) as github:
            return _put(github, text, mark, head, commit)
    except (httpx.HTTPError, ValueError, LookupError, TypeError) as error:
        raise UsageError(f"GitHub does not take the comment: {one_line(error)}") from None


def _put(github: httpx.Client, text: str, mark: str, head: str, commit: str) -> str:
    found = _ask(github, "GET", "pulls", params={"state": "open", "head": head})
    pull = next((pull for pull in found if pull["head"]["sha"] == commit), None)
    if not pull:
        return f"no comment: {head} has no open pull request at {commit}"
    old = next((comment for comment in _comments(github, pull["number"]) if comment["body"].startswith(mark)), None)
    if old:
        return _ask(github, "PATCH", f"issues/comments/{old['id']}", json={"body": text})["html_url"]
    return _ask(github, "POST", f"issues/{pull['number']}/comments", json={"body": text})["html_url"]


def _comments(github: httpx.Client, number: int) -> Iterator[Any]:
    """Those of bots, since anybody can write the mark."""
    page, found = 1, [None] * PAGE
    while len(found) == PAGE:
        found = _ask(github, "GET", f"issues/{number}/comments", params={"per_page": PAGE, "page": page})
        yield from (comment for comment in found if comment["user"]["type"] == "Bot")
        page += 1


def _ask(github: httpx.Client, method: str, path: str, **options: Any) -> Any:
    return github.request(method, path, **options).raise_for_status().json()
