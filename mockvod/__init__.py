"""A local stand-in for the event notification of Tencent Cloud VOD."""

__version__ = "0.1.0"
