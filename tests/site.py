"""The documentation as a site that can be searched: `make site` builds it in build/site, and fails on a broken link."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent
PAGES = "README.md CHANGELOG.md CONTRIBUTING.md ARCHITECTURE.md SECURITY.md LICENSE docs examples fixtures".split()


def build(where: Path) -> str:
    """Build the site in *where*/site from a copy of the pages in *where*/pages. Returns the output of MkDocs.

    Raises CalledProcessError for a broken link, a page that is in no menu, and an unknown option.
    """
    pages = where / "pages"
    shutil.rmtree(pages, ignore_errors=True)
    pages.mkdir(parents=True)
    for name in PAGES:
        source = ROOT / name
        if source.is_dir():
            shutil.copytree(source, pages / name, ignore=shutil.ignore_patterns("__pycache__", "node_modules", ".*"))
        else:
            shutil.copy(source, pages / name)
    configuration = (ROOT / "mkdocs.yml").read_text(encoding="utf-8").replace("build/", "")
    (where / "mkdocs.yml").write_text(configuration, encoding="utf-8")
    command = [sys.executable, "-m", "mkdocs", "build", "--strict"]  # with --quiet, --strict counts no warnings
    environment = {**os.environ, "NO_MKDOCS_2_WARNING": "1"}
    ran = subprocess.run(
        command, cwd=where, env=environment, check=False, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    if ran.returncode:
        raise subprocess.CalledProcessError(ran.returncode, command, ran.stdout)
    return ran.stdout


def main() -> None:
    try:
        build(ROOT / "build")
    except subprocess.CalledProcessError as error:
        sys.exit(error.output)
    print("build/site/index.html")


if __name__ == "__main__":
    main()
