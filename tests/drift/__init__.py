"""What of Tencent's public interface mockvod depends on, and what a version of their packages changes in it."""
