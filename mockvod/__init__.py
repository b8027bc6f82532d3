"""A local mock of the event notification of Tencent Cloud VOD."""

try:
    from mockvod._version import __version__ as __version__
except ImportError:  # a checkout that was not installed
    __version__ = "0.0.0"
