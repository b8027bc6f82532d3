"""How fast and how small mockvod is, beside a bare aiohttp application that answers constant bytes.

Machines differ and drift, so what counts is the ratio of two medians taken in turn. Linux only: CPU time and memory of
the servers are read from `/proc`.
"""
