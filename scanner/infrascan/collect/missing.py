"""Telling a package that is not installed from a defect: a platform's SDK is imported when it is
first needed, and the other platforms go on without it."""

from __future__ import annotations

from collections.abc import Mapping

from infrascan.model import InputError

# The distribution that a package comes from, where their names differ.
DISTRIBUTIONS: Mapping[str, str] = {
    "azure": "azure-identity",
    "botocore": "boto3",
    "google": "google-cloud-asset",
    "grpc": "google-cloud-asset",
}


class MissingError(InputError):
    """A package that a platform needs is not there; the text says which, `remedy` what to do."""

    def __init__(self, name: str) -> None:
        super().__init__(f"the Python package {name} is not installed here, or is broken")
        self.remedy = f"run pip install --force-reinstall {name} where infrascan is installed"

    def __str__(self) -> str:
        return f"{self.args[0]}; {self.remedy}"


def missing(error: ImportError) -> MissingError | None:
    """What a failed import means for a scan; None for a module of ours, which is a defect."""
    package = (error.name or "infrascan").partition(".")[0]
    return None if package == "infrascan" else MissingError(DISTRIBUTIONS.get(package, package))
