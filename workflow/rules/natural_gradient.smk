# Natural gradients: networks trained, judged, drawn.

from dynparam.experiments.natural_gradient.settings import (
    for_natural,
    for_natural_trials,
)


rule measure_natural:
    input:
        images=f"{DATA}/processed/{CONFIG.natural_gradient.images.pair}.npz",
    output:
        residuals=f"{RESULTS}/natural_gradient/residuals.csv",
        sidecar=f"{RESULTS}/natural_gradient/residuals.json",
    params:
        code=code("measure_natural"),
        settings=lambda wildcards: for_natural_trials(CONFIG).model_dump_json(),
    log:
        f"{LOGS}/measure_natural.log",
    benchmark:
        f"{BENCHMARKS}/measure_natural.tsv"
    threads: 1
    resources:
        **needs("measure_natural"),
    message:
        "Training with natural gradients"
    shell:
        "dynparam natural measure --config only={params.settings:q} --threads {threads}"
        " --images {input.images:q} --output {output.residuals:q} > {log:q} 2>&1"


use rule compare_slopes as judge_natural with:
    input:
        results("natural_gradient/residuals.csv"),
    output:
        marked_table("natural_gradient/verdicts"),
    params:
        code=code("judge_natural"),
        settings=lambda wildcards: for_natural(CONFIG).model_dump_json(),
        command="natural judge",
    log:
        f"{LOGS}/judge_natural.log",
    benchmark:
        f"{BENCHMARKS}/judge_natural.tsv"
    resources:
        **needs("judge_natural"),
    message:
        "Judging natural gradients"


use rule plot_architecture as plot_natural with:
    wildcard_constraints:
        figure=any_of([CONFIG.natural_gradient.figure]),
    params:
        code=code("plot_natural"),
        settings=lambda wildcards: for_natural(CONFIG).model_dump_json(),
        command=f"natural --results {RESULTS}",
    log:
        f"{LOGS}/plot_natural/{{figure}}.log",
    benchmark:
        f"{BENCHMARKS}/plot_natural/{{figure}}.tsv"
    resources:
        **needs("plot_natural"),
