"""What docs/performance.md says about speed, as commands: `make bench` runs them all.

Figures are ratios measured in one run on one machine; everything listens on loopback and ends by itself.
"""
