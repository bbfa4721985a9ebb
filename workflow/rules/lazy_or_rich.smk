# Lazy or rich: networks beside their linearizations, kernels before and after training, the laziness index.

from dynparam.experiments.lazy_or_rich.settings import (
    LINEARIZED,
    LazyOrRichStage,
    for_laziness,
    for_linearization,
)
from dynparam.settings.base import pick

LAZY_FAMILIES = any_of(CONFIG.lazy_or_rich.families)


rule measure_linearization:
    input:
        images=f"{DATA}/processed/{CONFIG.lazy_or_rich.linearization.pair}.npz",
    output:
        trials=f"{RESULTS}/lazy_or_rich/linearization/{{linearized}}.csv",
        sidecar=f"{RESULTS}/lazy_or_rich/linearization/{{linearized}}.json",
    wildcard_constraints:
        linearized=any_of(LINEARIZED),
    params:
        code=code("measure_linearization"),
        settings=lambda wildcards: for_linearization(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_linearization/{{linearized}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_linearization/{{linearized}}.tsv"
    threads: 1
    resources:
        **needs("measure_linearization"),
    message:
        "Training {wildcards.linearized} beside its linearization"
    shell:
        "dynparam lazy linearization {wildcards.linearized} --config only={params.settings:q}"
        " --threads {threads} --images {input.images:q} --output {output.trials:q}"
        " > {log:q} 2>&1"


rule measure_kernel_change:
    output:
        trials=f"{RESULTS}/lazy_or_rich/kernel_change/{{family}}.csv",
        sidecar=f"{RESULTS}/lazy_or_rich/kernel_change/{{family}}.json",
    wildcard_constraints:
        family=LAZY_FAMILIES,
    params:
        code=code("measure_kernel_change"),
        settings=lambda wildcards: pick(LazyOrRichStage, CONFIG).model_dump_json(),
        command=lambda wildcards: f"kernels {wildcards.family}",
    log:
        f"{LOGS}/measure_kernel_change/{{family}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_kernel_change/{{family}}.tsv"
    threads: 1
    resources:
        **needs("measure_kernel_change"),
    message:
        "Measuring how far training moves the kernel, {wildcards.family}"
    shell:
        "dynparam lazy {params.command} --config only={params.settings:q} --threads {threads}"
        " --output {output.trials:q} > {log:q} 2>&1"


use rule measure_kernel_change as measure_index with:
    output:
        trials=f"{RESULTS}/lazy_or_rich/index/{{family}}.csv",
        sidecar=f"{RESULTS}/lazy_or_rich/index/{{family}}.json",
    params:
        code=code("measure_index"),
        command=lambda wildcards: f"index {wildcards.family}",
    log:
        f"{LOGS}/measure_index/{{family}}.log",
    benchmark:
        f"{BENCHMARKS}/measure_index/{{family}}.tsv"
    resources:
        **needs("measure_index"),
    message:
        "Measuring the laziness index, {wildcards.family}"


use rule measure_kernel_change as measure_identities with:
    output:
        trials=f"{RESULTS}/lazy_or_rich/identities.csv",
        sidecar=f"{RESULTS}/lazy_or_rich/identities.json",
    params:
        code=code("measure_identities"),
        command="identities",
    log:
        f"{LOGS}/measure_identities.log",
    benchmark:
        f"{BENCHMARKS}/measure_identities.tsv"
    resources:
        **needs("measure_identities"),
    message:
        "Comparing dynamic with ntk and an output scale"


use rule compare_slopes as judge_laziness with:
    input:
        results_of(CONFIG.lazy_or_rich.figure),
    output:
        marked_table("lazy_or_rich/verdicts"),
    params:
        code=code("judge_laziness"),
        settings=lambda wildcards: for_laziness(CONFIG).model_dump_json(),
        command="lazy judge",
    log:
        f"{LOGS}/judge_laziness.log",
    benchmark:
        f"{BENCHMARKS}/judge_laziness.tsv"
    resources:
        **needs("judge_laziness"),
    message:
        "Judging what is lazy and what is rich"


use rule plot_architecture as plot_laziness with:
    wildcard_constraints:
        figure=any_of([CONFIG.lazy_or_rich.figure]),
    params:
        code=code("plot_laziness"),
        settings=lambda wildcards: for_laziness(CONFIG).model_dump_json(),
        command=f"laziness --results {RESULTS}",
    log:
        f"{LOGS}/plot_laziness/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_laziness/{{figure}}.tsv"
    resources:
        **needs("plot_laziness"),
