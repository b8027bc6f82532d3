"""Tencent's SDKs, old and new, against mockvod: `make sdk-matrix` writes docs/compatibility.md."""
