"""What ``snakemake --logger dynparam`` prints: Snakemake finds such a plugin by its package's name."""

from dynparam.cluster.display import LogHandler as LogHandler
